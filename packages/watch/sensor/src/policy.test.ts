import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SensorError } from "./error.ts";
import { encodeSet, encodeUnset, parsePeer, type Policy } from "./policy.ts";

const base = { cgroup: "/pod/container", pid: 77, limitMs: 1500, enforce: true, outlives: false };
const deny = (peer: string): Policy => ({ ...base, kind: "connect", peers: [{ peer, allows: false }] });

test("a command has its header, its fields and its texts where the sensor looks for them", () => {
  const bytes = encodeSet(5n, {
    ...base,
    kind: "exec",
    paths: ["/bin/nc", "/tmp/"],
    origins: ["memory"],
    killOnly: true,
  });
  assert.equal(bytes.toString("latin1", 0, 4), "BLWK");
  assert.deepEqual([bytes.readUInt16LE(4), bytes.readUInt16LE(6), bytes.readUInt32LE(8)], [4, 1, bytes.length]);
  assert.deepEqual([bytes.readBigUInt64LE(32), bytes.readBigUInt64LE(40)], [5n, 1_500_000_000n]);
  assert.deepEqual([bytes.readUInt32LE(48), bytes.readUInt32LE(52), bytes.readUInt32LE(56)], [0, 1 | 4 | 16, 77]);
  assert.deepEqual([bytes.readUInt16LE(60), bytes.readUInt16LE(62)], [0, 2]);
  assert.equal(bytes.toString("utf8", 64 + 32 * 40), "/pod/container\0/bin/nc\0/tmp/\0");
  assert.equal(encodeUnset(5n).length, 40);
});

test("a network is its address and mask, IPv4 inside of IPv6", () => {
  const rule = (peer: string): string => encodeSet(1n, deny(peer)).toString("hex", 64, 64 + 40);
  const open = "0000ffff";
  const v4 = "00000000000000000000ffff";
  const mask4 = "f".repeat(24);
  assert.equal(rule("10.1.2.3/8"), `${v4}0a000000${mask4}ff000000${open}01000000`);
  assert.equal(rule("0.0.0.0/0"), `${v4}00000000${mask4}00000000${open}01000000`);
  assert.equal(rule("::/0"), `${"0".repeat(64)}${open}00000000`);
  assert.equal(rule("::ffff:10.1.2.3"), rule("10.1.2.3"));
  assert.equal(rule("2001:db8::/33"), `20010db8${"0".repeat(24)}ffffffff80${"0".repeat(22)}${open}00000000`);
});

test("what is no address is refused, whatever it is", () => {
  for (const peer of ["", "10.0.0.0/33", "10.0.0/8", "::/129", "::/-1", "fe80::1%eth0", "10.0.0.0/8/8", "x", "::/ 1"]) {
    assert.throws(() => parsePeer(peer), SensorError, peer);
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => {
      try {
        assert.equal(parsePeer(text).address.length, 16);
      } catch (error) {
        assert.ok(error instanceof SensorError);
      }
    }),
  );
});

test("more than the sensor takes is refused before it is sent", () => {
  const paths = Array.from({ length: 65 }, (_, index) => `/bin/${index}`);
  assert.throws(() => encodeSet(1n, { ...base, kind: "exec", paths, origins: [] }), { code: "policy" });
  const long = Array.from({ length: 64 }, () => `/${"x".repeat(400)}`);
  assert.throws(() => encodeSet(1n, { ...base, kind: "exec", paths: long, origins: [] }), { code: "policy" });
  assert.throws(() => encodeSet(1n, { ...base, kind: "exec", paths: ["/a\0b"], origins: [] }), { code: "policy" });
  const peers = Array.from({ length: 33 }, () => ({ peer: "::1", allows: false }));
  assert.throws(() => encodeSet(1n, { ...base, kind: "quarantine", peers }), { code: "policy" });
  const [peer] = [{ peer: "::1", ports: [9, 8] as const, allows: false }];
  assert.throws(() => encodeSet(1n, { ...base, kind: "connect", peers: [peer] }), { code: "policy" });
});
