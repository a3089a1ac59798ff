import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { spokenIn } from "./index.ts";
import { quicHello as hello, quicPacket as packet } from "./quic.sample.ts";

function crypto(from: number, to: number): Buffer {
  const [offset, length] = [from, to - from].map((value) => Buffer.from([0x40 | (value >> 8), value & 255]));
  return Buffer.concat([
    Buffer.from([6]),
    offset ?? Buffer.alloc(0),
    length ?? Buffer.alloc(0),
    hello.subarray(from, to),
  ]);
}

const told = { version: "1.3", serverName: "example.com" };
const ping = Buffer.from([1]);
const acknowledgement = Buffer.from([2, 5, 0, 1, 0, 1, 1]);

test("the packet of RFC 9001 appendix A.2 has the name", () => {
  const bytes = packet(1, Buffer.concat([Buffer.from("060040f1", "hex"), hello]));
  assert.equal(bytes.subarray(0, 22).toString("hex"), "c000000001088394c8f03e5157080000449e7b9aec34");
  assert.deepEqual(spokenIn(bytes, true).tls, told);
});

test("so has one of version 2, and one whose parts stand in any order among other frames", () => {
  assert.deepEqual(spokenIn(packet(2, crypto(0, hello.length)), true).tls, told);
  const shuffled = packet(1, crypto(90, hello.length), ping, crypto(0, 40), acknowledgement, crypto(40, 90));
  assert.deepEqual(spokenIn(shuffled, true).tls, told);
});

test("a hello that goes on in another packet tells what is whole of it", () => {
  assert.deepEqual(spokenIn(packet(1, crypto(0, 100)), true).tls, told);
  const unnamed = { version: "1.3", serverName: null };
  assert.deepEqual(spokenIn(packet(1, crypto(0, 60)), true).tls, unnamed, "the name is in the other");
  assert.deepEqual(spokenIn(packet(1, crypto(30, 200)), true).tls, unnamed, "the beginning is in the other");
});

test("what is changed or cut tells no name, and what is not QUIC is not taken for it", () => {
  const whole = packet(1, crypto(0, hello.length));
  for (const at of [30, 100, 1199]) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(spokenIn(changed, true).tls?.serverName, null);
  }
  assert.equal(spokenIn(whole.subarray(0, 1000), true).tls?.serverName, null);
  assert.deepEqual(spokenIn(Buffer.from([0xc3, 0, 0, 0, 9, ...Buffer.alloc(50)]), true), {});
  assert.deepEqual(spokenIn(whole, false), {}, "a server");
});

test("no frames and no headers whatever raise an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (frames) => {
      spokenIn(packet(1, Buffer.from(frames)), true);
      spokenIn(Buffer.from([0xc0, 0, 0, 0, 1, ...frames]), true);
    }),
  );
});
