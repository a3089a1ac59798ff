import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeTable, type NetworkTable } from "./network-table.ts";

function encode(table: NetworkTable): { type: number; bytes: Buffer }[] {
  let id = 0n;
  return encodeTable(table, () => ++id).map(({ id: own, bytes }, index) => {
    assert.equal(bytes.readBigUInt64LE(32), own);
    assert.equal(own, BigInt(index + 1));
    assert.equal(bytes.readUInt32LE(8), bytes.length);
    assert.ok(bytes.length <= 16_384);
    return { type: bytes.readUInt16LE(6), bytes };
  });
}

test("a table is its beginning, its parts, its end", () => {
  const ports = [{ protocol: 6, first: 80, last: 81 }];
  const commands = encode({
    prefixes: [{ cidr: "10.0.0.0/8", class: 3 }],
    cells: [
      { row: 1, class: 3, ports: "all" },
      { row: 1, class: 4, ports },
      { row: 2, class: 4, ports: [...ports] },
      { row: 2, class: 5, ports: [] },
    ],
    pods: [{ cgroup: "/pod", ingress: 1, egress: 0 }],
  });
  assert.deepEqual(
    commands.map(({ type }) => type),
    [3, 4, 6, 5, 7, 8],
  );
  const [, prefixes, sets, cells, pod] = commands.map(({ bytes }) => bytes.subarray(40));
  assert.equal(
    prefixes?.toString("hex"),
    ["0100000000000000", "00000000000000000000ffff0a000000", "68000000", "03000000"].join(""),
  );
  assert.equal(sets?.subarray(8, 24).toString("hex"), "02000000010000005000510006000000", "the same ports once");
  const words = Array.from({ length: 9 }, (_, index) => cells?.readUInt32LE(8 + 4 * index));
  assert.deepEqual(words, [1, 3, 1, 1, 4, 2, 2, 4, 2], "no ports, no cell");
  assert.equal(pod?.toString("latin1"), "\x01\0\0\0\0\0\0\0/pod\0");
});

test("a large table is several commands", () => {
  const prefixes = Array.from({ length: 2000 }, (_, index) => ({
    cidr: `10.0.${index >> 8}.${index & 255}`,
    class: index,
  }));
  const parts = encode({ prefixes, cells: [], pods: [] }).filter(({ type }) => type === 4);
  assert.equal(
    parts.reduce((sum, { bytes }) => sum + bytes.readUInt32LE(40), 0),
    2000,
  );
});

test("what cannot be said is refused", () => {
  const ports = Array.from({ length: 65 }, (_, index) => ({ protocol: 6, first: index * 2, last: index * 2 }));
  const none = { prefixes: [], cells: [], pods: [] };
  assert.throws(() => encode({ ...none, cells: [{ row: 1, class: 1, ports }] }), {
    code: "policy",
    message: /65 ranges/,
  });
  assert.throws(() => encode({ ...none, pods: [{ cgroup: "/a\0b", ingress: 1, egress: 1 }] }), { code: "policy" });
  assert.throws(() => encode({ ...none, prefixes: [{ cidr: "10.0.0.0/33", class: 1 }] }), { code: "policy" });
});
