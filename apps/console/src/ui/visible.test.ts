import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, visible } from "./visible.ts";

test("ordinary text of any language stays as it is", () => {
  for (const text of ["", "nginx -g 'daemon off;'", "反弹 Shell", "naïve café", "日本語"])
    assert.equal(visible(text), text);
});

test("what cannot be seen is named", () => {
  assert.equal(visible("a\nb\tc\u001b[31m"), String.raw`a\nb\tc\e[31m`);
  assert.equal(visible("\u0000\u0085"), String.raw`\x00\x85`);
  assert.equal(visible("user\u202etxt.exe"), String.raw`user\u{202e}txt.exe`, "direction of writing (CVE-2021-42574)");
  assert.equal(visible("a\u200bb\ufeff"), String.raw`a\u{200b}b\u{feff}`);
  assert.equal(visible("\ud800x"), String.raw`\u{d800}x`, "half a surrogate pair");
  assert.equal(visible("\u{e0041}"), String.raw`\u{e0041}`, "tag characters");
});

test("a name that stands for a character is told from the same text as it was typed", () => {
  assert.deepEqual(pieces(String.raw`\n`), [{ text: String.raw`\n`, hidden: false }]);
  assert.deepEqual(pieces("\n"), [{ text: String.raw`\n`, hidden: true }]);
});
