import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { numberField, stringField } from "./protobuf.ts";

test("a string and a number are found between fields of other types", () => {
  // 3: varint 300, 1: "web", 4: fixed64, 5: fixed32, 2: "exec-1"
  const message = Buffer.concat([
    Buffer.from([0x18, 0xac, 0x02]),
    Buffer.from([0x0a, 3]),
    Buffer.from("web"),
    Buffer.from([0x21, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([0x2d, 1, 2, 3, 4]),
    Buffer.from([0x12, 6]),
    Buffer.from("exec-1"),
  ]);
  assert.equal(stringField(message, 1), "web");
  assert.equal(stringField(message, 2), "exec-1");
  assert.equal(stringField(message, 6), undefined);
  assert.equal(stringField(message.subarray(0, 6), 1), undefined);
  assert.equal(numberField(message, 3), 300);
  assert.deepEqual(
    [numberField(message, 1), numberField(message, 4), stringField(message, 3)],
    [undefined, undefined, undefined],
  );
});

test("no bytes make it fail or hang", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const found = stringField(Buffer.from(bytes), 1);
      assert.ok(found === undefined || found.length <= bytes.length);
    }),
  );
});
