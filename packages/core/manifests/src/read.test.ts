import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { placeText, readTexts, type Manifests } from "./index.ts";

function read(text: string): Manifests {
  return readTexts([{ name: "a.yaml", text }]);
}

test("several documents, lists and JSON give objects with their places", () => {
  const { objects, problems, others } = read(`apiVersion: v1
kind: Pod
metadata: {name: a}
---
# only a comment
---
apiVersion: v1
kind: PodList
items:
  - metadata: {name: b}
  - metadata: {name: c}
--- 
kind: List
apiVersion: v1
items:
  - {apiVersion: v1, kind: Node, metadata: {name: d}}
`);
  assert.deepEqual(problems, []);
  assert.deepEqual(others, []);
  const seen = objects.map(({ object, place }) => [object.kind, (object["metadata"] as { name: string }).name, place]);
  assert.deepEqual(seen, [
    ["Pod", "a", { file: "a.yaml", line: 1, document: 0, path: [] }],
    ["Pod", "b", { file: "a.yaml", line: 10, document: 2, path: ["items", 0] }],
    ["Pod", "c", { file: "a.yaml", line: 11, document: 2, path: ["items", 1] }],
    ["Node", "d", { file: "a.yaml", line: 16, document: 3, path: ["items", 0] }],
  ]);
  const json = read(`{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "e"}}]}`);
  assert.deepEqual(json.objects[0]?.object, { apiVersion: "v1", kind: "Pod", metadata: { name: "e" } });
});

test("a broken document is told by its line and spoils no other", () => {
  const { objects, problems } = read(`apiVersion: v1
kind: Pod
---
apiVersion: v1
kind: Pod
\tmetadata: {}
---
apiVersion: v1
kind: Service
`);
  assert.deepEqual(
    objects.map(({ object }) => object.kind),
    ["Pod", "Service"],
  );
  assert.equal(problems.length, 1);
  assert.equal(placeText(problems[0] ?? { file: "", line: 0 }), "a.yaml:6");
  assert.match(problems[0]?.remedy ?? "", /tabs/);
});

test("keys that come twice, templates and alias bombs are refused, each with the way to mend it", () => {
  assert.match(read("kind: Pod\napiVersion: v1\nkind: Node\n").problems[0]?.reason ?? "", /unique/i);
  const template = read(`apiVersion: v1
kind: Pod
metadata:
  name: {{ .Values.name }}
`).problems[0];
  assert.deepEqual([template?.line, template?.remedy], [4, "it is a template: render it first (helm template)"]);
  const control = read("{{- if .Values.enabled }}\nkind: Pod\n{{- end }}\n").problems[0];
  assert.match(control?.remedy ?? "", /helm template/);
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (const [letter, before] of ["ba", "cb", "dc", "ed", "fe", "gf", "hg"].map((pair) => [pair[0], pair[1]])) {
    bomb.push(`${letter}: &${letter} [${Array.from({ length: 10 }, () => `*${before}`).join(",")}]`);
  }
  const alias = read(`apiVersion: v1\nkind: Pod\n${bomb.join("\n")}\n`);
  assert.deepEqual([alias.objects.length, alias.problems.length], [0, 1]);
});

test("what is no Kubernetes object is told apart from what cannot be read", () => {
  const { objects, problems, others } = read("image: nginx\n---\n- 1\n- 2\n---\njust text\n");
  assert.deepEqual([objects.length, problems.length], [0, 0]);
  assert.deepEqual(
    others.map(({ line }) => line),
    [1, 3, 6],
  );
});

test("a nesting of 100,000 levels ends with a problem", () => {
  const { objects, problems, others } = read(`apiVersion: v1\nkind: Pod\nspec: ${"[".repeat(100_000)}`);
  assert.equal(objects.length + others.length, 0);
  assert.equal(problems.length, 1);
});

test("no text makes it raise", () => {
  const word = fc.constantFrom(
    "---\n",
    "kind: Pod\n",
    "apiVersion: v1\n",
    "- a\n",
    "{",
    "}",
    "[",
    "&a ",
    "*a ",
    "\t",
    ": ",
    "'",
    '"',
    "|\n",
    "...\n",
    "%YAML 1.2\n",
    "{{ x }}",
    "\u0000",
    "? ",
    "!!binary ",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      const { objects, problems, others } = read(words.join(""));
      for (const { line } of [...problems, ...others]) assert.ok(line >= 1);
      for (const { object } of objects) assert.equal(typeof object.kind, "string");
    }),
    { numRuns: 2000 },
  );
});
