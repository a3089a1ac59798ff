import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "./address.ts";

// RFC 5952, sections 4.1 to 5.
const cases: [bytes: string, text: string][] = [
  ["0a000001", "10.0.0.1"],
  ["00000000", "0.0.0.0"],
  ["20010db8000000000000000000000001", "2001:db8::1"],
  ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
  ["20010000000000010000000000000001", "2001:0:0:1::1"],
  ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000000000001", "::1"],
  ["fe800000000000000000000000000000", "fe80::"],
  ["ff0200000000000000000001ff00abcd", "ff02::1:ff00:abcd"],
  ["00000000000000000000ffffc0000201", "192.0.2.1"],
];

for (const [bytes, text] of cases) {
  test(`${bytes} is written ${text}`, () => assert.equal(formatAddress(Buffer.from(bytes, "hex")), text));
}
