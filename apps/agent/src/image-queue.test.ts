import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScanOrigin } from "@bulwark/model";
import { ImageQueue } from "./image-queue.ts";

const now = 1_700_000_000_000;
const image = (key: string, origin: ScanOrigin) => ({ key, name: key, digest: null, origin, place: null });

function takeAll(queue: ImageQueue<null>): string[] {
  const taken: string[] = [];
  for (let next = queue.take(now); next && "image" in next; next = queue.take(now)) taken.push(next.image.key);
  return taken;
}

test("images that run come first, then the others, each in the order in which it came", () => {
  const queue = new ImageQueue<null>();
  queue.add(image("spare-1", "node"), now);
  queue.add(image("web", "running"), now);
  queue.add(image("spare-2", "node"), now);
  queue.add(image("db", "running"), now);
  assert.deepEqual(takeAll(queue), ["web", "db", "spare-1", "spare-2"]);
});

test("an image that begins to run moves up, and one that waits is not lined up twice", () => {
  const queue = new ImageQueue<null>();
  queue.add(image("a", "node"), now);
  queue.add(image("b", "node"), now);
  assert.equal(queue.add(image("b", "node"), now), undefined);
  assert.equal(queue.add(image("b", "running"), now)?.origin, "running");
  assert.equal(queue.add(image("b", "node"), now), undefined);
  assert.deepEqual(takeAll(queue), ["b", "a"]);
});

test("what was scanned is scanned again a day later, not before", () => {
  const queue = new ImageQueue<null>();
  const queued = queue.add(image("a", "running"), now);
  assert.ok(queued);
  takeAll(queue);
  queue.done(queued, now);
  assert.equal(queue.add(image("a", "running"), now + 23 * 3_600_000), undefined);
  assert.ok(queue.add(image("a", "running"), now + 25 * 3_600_000));
});

test("what fails is tried again with growing pauses, four times in all, behind what has not failed", () => {
  const queue = new ImageQueue<null>();
  queue.add(image("bad", "running"), now);
  const pauses: (number | null)[] = [];
  let time = now;
  for (let attempt = 1; attempt <= 4; attempt++) {
    const next = queue.take(time);
    assert.ok(next && "image" in next);
    assert.equal(next.image.attempts, attempt);
    const nextAt = queue.failed(next.image, time);
    pauses.push(nextAt && nextAt - time);
    if (nextAt === null) break;
    queue.add(image("good", "node"), time);
    const other = queue.take(time);
    assert.ok(other && "image" in other && other.image.key === "good");
    assert.deepEqual(queue.take(time), { pause: nextAt - time });
    time = nextAt;
  }
  assert.deepEqual(pauses, [30_000, 120_000, 480_000, null]);
  assert.equal(queue.take(time), undefined);
  assert.equal(queue.add(image("bad", "running"), time), undefined);
});
