import assert from "node:assert/strict";
import { test } from "node:test";
import { bring, fit, neighbour, resized, zoomAt } from "./view.ts";

const size = { width: 800, height: 600 };

test("all of the map is in view, in the middle, and small maps are not blown up", () => {
  const { x, y, k } = fit({ x: -100, y: 0, width: 4000, height: 1000 }, size);
  assert.ok(k < 1 && x + -100 * k >= 0 && x + 3900 * k <= 800 && y >= 0 && y + 1000 * k <= 600);
  assert.deepEqual(fit({ x: 0, y: 0, width: 200, height: 100 }, size), { k: 1, x: 300, y: 250 });
});

test("zooming leaves the point under the pointer where it is, and ends somewhere", () => {
  const view = { x: 10, y: 20, k: 0.5 };
  const point = { x: 300, y: 200 };
  const next = zoomAt(view, 2, point);
  assert.equal((point.x - view.x) / view.k, (point.x - next.x) / next.k);
  assert.equal(zoomAt(view, 1e9, point).k, zoomAt(view, 1e12, point).k);
});

test("what has the keyboard is brought into view, and what is in view stays", () => {
  const view = { x: 0, y: 0, k: 1 };
  assert.equal(bring(view, { x: 100, y: 100, width: 50, height: 20 }, size), view);
  const moved = bring(view, { x: 900, y: -50, width: 50, height: 20 }, size);
  assert.ok(900 + moved.x + 50 <= 800 && -50 + moved.y >= 0);
});

test("where there is less room the middle stays the middle", () => {
  const view = { x: 30, y: -40, k: 0.5 };
  const less = { width: 500, height: 640 };
  const middleOf = ({ x, y, k }: typeof view, { width, height }: typeof size): number[] => [
    (width / 2 - x) / k,
    (height / 2 - y) / k,
  ];
  assert.deepEqual(middleOf(resized(view, size, less), less), middleOf(view, size));
  assert.deepEqual(resized(view, size, size), view);
});

test("arrow keys go to what is nearest in their direction", () => {
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 10 });
  const boxes = new Map([
    ["middle", box(100, 100)],
    ["right", box(200, 110)],
    ["far right", box(300, 100)],
    ["below", box(105, 200)],
  ]);
  assert.equal(neighbour(boxes, "middle", "ArrowRight"), "right");
  assert.equal(neighbour(boxes, "right", "ArrowRight"), "far right");
  assert.equal(neighbour(boxes, "middle", "ArrowDown"), "below");
  assert.equal(neighbour(boxes, "middle", "ArrowLeft"), undefined);
});
