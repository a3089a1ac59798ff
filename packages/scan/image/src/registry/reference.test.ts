import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageError } from "../error.ts";
import { parseReference, referenceText } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

for (const [text, whole] of [
  ["nginx", "docker.io/library/nginx:latest"],
  ["nginx:1.27", "docker.io/library/nginx:1.27"],
  ["grafana/grafana", "docker.io/grafana/grafana:latest"],
  ["index.docker.io/library/nginx", "docker.io/library/nginx:latest"],
  ["localhost/web", "localhost/web:latest"],
  ["localhost:5000/a/b/c:x", "localhost:5000/a/b/c:x"],
  ["ghcr.io/owner/name:1", "ghcr.io/owner/name:1"],
  [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
  [`nginx:1.27@${digest}`, `docker.io/library/nginx:1.27@${digest}`],
  ["[::1]:5000/web", "[::1]:5000/web:latest"],
] as const) {
  test(`${text} is ${whole}`, () => assert.equal(referenceText(parseReference(text)), whole));
}

for (const text of ["", "Nginx", "a b", "nginx:", "nginx@sha256:short", "../x", "a//b", "x@y@z", "host.example/"]) {
  test(`${JSON.stringify(text)} is no image`, () => assert.throws(() => parseReference(text), ImageError));
}
