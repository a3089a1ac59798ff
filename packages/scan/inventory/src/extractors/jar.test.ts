import assert from "node:assert/strict";
import { test } from "node:test";
import { inventoryOf, namesAndVersions } from "../examine-files.ts";
import { zipOf } from "../formats/zip-of.ts";

const properties = (group: string, artifact: string, version: string) => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: `#Generated\ngroupId=${group}\nartifactId=${artifact}\nversion=${version}\n`,
});
const commons = zipOf(properties("org.apache.commons", "commons-text", "1.9"));

test("jars in a war in an ear, each with its place", () => {
  const war = zipOf({ "WEB-INF/lib/commons-text-1.9.jar": commons, "index.html": "x" });
  const { packages } = inventoryOf({ "opt/app.ear": zipOf({ "web.war": war }) });
  assert.deepEqual(
    packages.map(({ purl, location }) => [purl, location]),
    [["pkg:maven/org.apache.commons/commons-text@1.9", "/opt/app.ear!/web.war!/WEB-INF/lib/commons-text-1.9.jar"]],
  );
});

test("a jar that has others merged into it is all of them", () => {
  const shaded = zipOf({
    ...properties("com.example", "app", "2.0"),
    ...properties("com.fasterxml.jackson.core", "jackson-databind", "2.9.8"),
  });
  assert.deepEqual(namesAndVersions(inventoryOf({ "app/app-2.0.jar": shaded })), [
    "com.example:app 2.0",
    "com.fasterxml.jackson.core:jackson-databind 2.9.8",
  ]);
});

test("without pom.properties the manifest, the file's name and the well-known groups say it", () => {
  const manifest = (text: string) => zipOf({ "META-INF/MANIFEST.MF": `Manifest-Version: 1.0\r\n${text}\r\n` });
  const name = (file: string, text: string) => namesAndVersions(inventoryOf({ [`lib/${file}`]: manifest(text) }))[0];
  assert.equal(
    name("spring-core-5.3.17.jar", "Implementation-Version: 5.3.17\r\n"),
    "org.springframework:spring-core 5.3.17",
  );
  assert.equal(name("log4j.jar", "Implementation-Version: 1.2.17\r\n"), "log4j:log4j 1.2.17");
  assert.equal(
    name(
      "x-y-1.0.jar",
      "Bundle-SymbolicName: com.example.very.long.name.that.goes.on.beyond.seven\r\n ty.two.bytes.x-y\r\n",
    ),
    "com.example.very.long.name.that.goes.on.beyond.seventy.two.bytes:x-y 1.0",
  );
  assert.equal(name("tool-3.2.1-SNAPSHOT.jar", ""), "tool 3.2.1-SNAPSHOT");
  assert.equal(name("nothing.jar", ""), undefined);
});

test("a jar behind a script that starts it", () => {
  const bytes = Buffer.concat([Buffer.from("#!/bin/sh\nexec java -jar $0\n"), commons]);
  assert.deepEqual(namesAndVersions(inventoryOf({ "app.jar": bytes })), ["org.apache.commons:commons-text 1.9"]);
});

test("a jar within is broken: the rest counts, and it is said which", () => {
  const war = zipOf({ "WEB-INF/lib/a.jar": commons, "WEB-INF/lib/b.jar": "not a zip" });
  const { packages, extractors } = inventoryOf({ "app.war": war });
  assert.equal(packages.length, 1);
  assert.equal(extractors[0]?.state, "partial");
  assert.match(extractors[0]?.errors[0]?.message ?? "", /WEB-INF\/lib\/b\.jar: no zip archive/);
});

test("archives within archives end at a depth, and a bomb at its limit", () => {
  let bytes = commons;
  for (let depth = 0; depth < 8; depth++) bytes = zipOf({ "inner.jar": bytes });
  assert.match(inventoryOf({ "a.jar": bytes }).extractors[0]?.errors[0]?.message ?? "", /deep/);
  const lying = zipOf({ "META-INF/MANIFEST.MF": Buffer.alloc(3_000_000) });
  // Both its sizes say that it is small.
  lying.writeUInt32LE(10, lying.indexOf("PK\x01\x02") + 24);
  assert.match(inventoryOf({ "b.jar": lying }).extractors[0]?.errors[0]?.message ?? "", /larger than|buffer/i);
});
