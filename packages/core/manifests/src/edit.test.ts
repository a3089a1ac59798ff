import assert from "node:assert/strict";
import test from "node:test";
import { editText } from "./index.ts";

const text = `# what comes first
apiVersion: v1
kind: Service   # stays
metadata: {name: a}
---
# the workload
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      # the one
      - name: web # by name
        image: "web:1"

      - name: log
        image: log:1
---
kind: Last
`;

test("comments, order, indentation and the other documents stay", () => {
  const place = { document: 1, path: [] };
  const container = ["spec", "template", "spec", "containers", 0];
  const edited = editText(text, [
    {
      place,
      edits: [
        { path: [...container, "securityContext"], set: { privileged: false } },
        { path: [...container, "image"], set: "web:2" },
        { path: ["spec", "template", "spec", "containers", 1, "image"], remove: true },
        { path: ["spec", "template", "spec", "containers", 2], set: { name: "new" } },
      ],
    },
  ]);
  assert.equal(
    edited,
    text
      .replace(`image: "web:1"\n`, `image: web:2\n        securityContext:\n          privileged: false\n`)
      .replace("      - name: log\n        image: log:1\n", "      - name: log\n      - name: new\n"),
  );
  assert.equal(editText(text, []), text);
});

test("items of lists, and JSON", () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n  - kind: Pod\n    metadata:\n      name: a # one\n`;
  assert.equal(
    editText(list, [
      { place: { document: 0, path: ["items", 0] }, edits: [{ path: ["metadata", "labels"], set: { x: "1" } }] },
    ]),
    `${list}      labels:\n        x: "1"\n`,
  );
  const json = `{\n    "kind": "Pod",\n    "a": 1\n}\n`;
  assert.equal(
    editText(json, [{ place: { document: 0, path: [] }, edits: [{ path: ["a"], set: 2 }] }]),
    `{\n    "kind": "Pod",\n    "a": 2\n}\n`,
  );
});
