import assert from "node:assert/strict";
import { test } from "node:test";
import { isInScope, matchesPattern, type RuleScope } from "./scope.ts";
import type { ContainerRef } from "./container.ts";

const all: RuleScope = { namespaces: [], images: [], containers: [], labels: "" };
const metadata = { labels: { app: "web" }, owners: [], serviceAccount: "default" };
const pod = { name: "web-1", namespace: "shop", uid: "u", container: "nginx", metadata };
const container: ContainerRef = {
  id: "c1",
  name: "k8s_nginx",
  runtime: "containerd",
  image: { name: "docker.io/library/nginx:1.27", digest: null },
  labels: { app: "other" },
  pod,
};

test("a star is any run of characters, and nothing else is special", () => {
  const cases: [string, string, boolean][] = [
    ["a", "a", true],
    ["a", "ab", false],
    ["*", "", true],
    ["a*", "ab", true],
    ["*b", "ab", true],
    ["a*a", "a", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["a**c", "ac", true],
    ["a.c", "abc", false],
  ];
  for (const [pattern, text, expected] of cases)
    assert.equal(matchesPattern(pattern, text), expected, `${pattern} ${text}`);
  const started = performance.now();
  matchesPattern("a*".repeat(128), "a".repeat(100_000));
  assert.ok(performance.now() - started < 1000);
});

test("a scope asks for everything that it names, and what is not known is in none", () => {
  assert.ok(isInScope(all, container));
  assert.ok(isInScope({ ...all, namespaces: ["x", "sh*"], images: ["*/nginx:*"], containers: ["nginx"] }, container));
  assert.ok(isInScope({ ...all, labels: "app=web" }, container), "a pod's labels, not those of the runtime");
  assert.ok(!isInScope({ ...all, labels: "app=other" }, container));
  assert.ok(!isInScope({ ...all, namespaces: ["shop"], images: ["redis*"] }, container));
  assert.ok(!isInScope({ ...all, namespaces: ["*"] }, { ...container, pod: null }), "of no namespace");
  const { metadata: _metadata, ...unknown } = pod;
  assert.ok(!isInScope({ ...all, labels: "app" }, { ...container, pod: unknown }));
});
