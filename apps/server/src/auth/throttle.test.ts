import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey, createThrottle } from "./throttle.ts";

const options = { free: 2, firstWait: 1000, longestWait: 8000, memory: 60_000, keys: 3 };

test("the wait doubles with each failure up to its bound, and ends with a success", () => {
  const throttle = createThrottle(options);
  const waits: number[] = [];
  let now = 0;
  for (let n = 0; n < 8; n++) {
    assert.equal(throttle.attempt(["a"], now), 0);
    const wait = throttle.attempt(["a"], now);
    if (wait === 0) continue;
    waits.push(wait);
    now += wait;
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 8000, 8000]);
  throttle.succeeded(["a"]);
  assert.equal(throttle.attempt(["a"], now), 0);
  assert.equal(throttle.attempt(["a"], now), 0);
});

test("attempts side by side are counted before any of them has failed", () => {
  const throttle = createThrottle(options);
  const passed = Array.from({ length: 50 }, () => throttle.attempt(["a", "b"], 0)).filter((wait) => wait === 0);
  assert.equal(passed.length, 3);
});

test("either key is enough to wait, and time heals", () => {
  const throttle = createThrottle(options);
  for (let n = 0; n < 3; n++) throttle.attempt(["user"], 0);
  assert.ok(throttle.attempt(["user", "elsewhere"], 500) > 0);
  assert.equal(throttle.attempt(["user"], 100_000), 0);
  assert.equal(throttle.attempt(["user"], 100_000), 0);
});

test("memory is bounded", () => {
  const throttle = createThrottle(options);
  for (let n = 0; n < 3; n++) throttle.attempt(["first"], 0);
  for (let n = 0; n < 100; n++) throttle.attempt([`other-${n}`], 0);
  assert.equal(throttle.attempt(["first"], 0), 0, "the oldest key was forgotten");
});

test("one subscriber's addresses are one key", () => {
  assert.equal(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  assert.notEqual(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:3::1"));
  assert.equal(addressKey("::ffff:192.0.2.1"), addressKey("192.0.2.1"));
  assert.equal(addressKey("fe80::1%eth0"), "address:fe80:0:0:0");
});
