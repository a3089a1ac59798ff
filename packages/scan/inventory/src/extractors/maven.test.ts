import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";

test("pom.xml: versions by properties and management; what others set is said", () => {
  const text = `<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>com.example</groupId><artifactId>parent</artifactId><version>7</version></parent>
  <artifactId>app</artifactId>
  <properties><log4j.version>2.17.1</log4j.version></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId><version>33.1.0-jre</version></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>\${log4j.version}</version></dependency>
    <dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId></dependency>
    <dependency><groupId>\${project.groupId}</groupId><artifactId>sibling</artifactId><version>\${project.version}</version></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.13.2</version><scope>test</scope></dependency>
    <dependency><groupId>org.springframework</groupId><artifactId>spring-core</artifactId></dependency>
  </dependencies>
</project>`;
  const found = inventoryOf({ "pom.xml": text });
  assert.deepEqual(namesAndVersions(found), [
    "com.example:sibling 7",
    "com.google.guava:guava 33.1.0-jre",
    "junit:junit 4.13.2",
    "org.apache.logging.log4j:log4j-core 2.17.1",
  ]);
  assert.equal(found.packages.find(({ name }) => name === "junit:junit")?.development, true);
  assert.match(found.extractors[0]?.errors[0]?.message ?? "", /org.springframework:spring-core/);
});

test("entities of XML do not multiply", () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "${"x".repeat(1000)}"><!ENTITY b "${"&a;".repeat(1000)}">]><project><artifactId>&b;</artifactId></project>`;
  assert.deepEqual(inventoryOf({ "pom.xml": bomb }).packages, []);
});

test("gradle.lockfile", () => {
  const text = `# This is a Gradle generated file for dependency locking.
com.fasterxml.jackson.core:jackson-databind:2.17.0=compileClasspath,runtimeClasspath
org.junit.jupiter:junit-jupiter:5.10.2=testCompileClasspath,testRuntimeClasspath
empty=annotationProcessor
`;
  const { packages } = inventoryOf({ "gradle.lockfile": text });
  assert.deepEqual(
    packages.map(({ purl, development }) => [purl, development]),
    [
      ["pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.17.0", false],
      ["pkg:maven/org.junit.jupiter/junit-jupiter@5.10.2", true],
    ],
  );
});
