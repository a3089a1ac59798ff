import assert from "node:assert/strict";
import { test } from "node:test";
import { webAddress } from "./web-address.ts";

test("only addresses of the web become links", () => {
  assert.equal(webAddress("https://nvd.example/CVE-1"), "https://nvd.example/CVE-1");
  assert.equal(webAddress("http://lists.example/1"), "http://lists.example/1");
  for (const text of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " \u0001javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example",
    "/relative",
    "not an address",
    "",
  ]) {
    assert.equal(webAddress(text), undefined, text);
  }
});
