import type { Box } from "./place.ts";

/** What of the map is seen: a point of the map lies at `x + k · its place`. */
export interface View {
  x: number;
  y: number;
  k: number;
}

export interface Size {
  width: number;
  height: number;
}

const zoomLimits = { least: 0.08, most: 2.5 } as const;
const margin = 28;

/** All of the box in the middle, no larger than life. */
export function fit({ x, y, width, height }: Box, size: Size): View {
  if (width === 0 || height === 0 || size.width === 0) return { x: margin, y: margin, k: 1 };
  const room = { width: Math.max(1, size.width - 2 * margin), height: Math.max(1, size.height - 2 * margin) };
  const k = clamp(Math.min(1, room.width / width, room.height / height));
  return { k, x: (size.width - width * k) / 2 - x * k, y: (size.height - height * k) / 2 - y * k };
}

/** Larger or smaller around a point of the screen. */
export function zoomAt({ x, y, k }: View, factor: number, point: { x: number; y: number }): View {
  const next = clamp(k * factor);
  return { k: next, x: point.x - ((point.x - x) * next) / k, y: point.y - ((point.y - y) * next) / k };
}

/** As large as before, around the same middle, where there is more or less room. */
export function resized({ x, y, k }: View, from: Size, to: Size): View {
  return { k, x: x + (to.width - from.width) / 2, y: y + (to.height - from.height) / 2 };
}

/** Moved no more than it takes for the box to be seen; the same view where it is. */
export function bring(view: View, box: Box, size: Size): View {
  const { k } = view;
  const left = view.x + box.x * k;
  const top = view.y + box.y * k;
  const [right, down] = [shift(left, left + box.width * k, size.width), shift(top, top + box.height * k, size.height)];
  return right === 0 && down === 0 ? view : { k, x: view.x + right, y: view.y + down };
}

function shift(from: number, to: number, room: number): number {
  if (from < margin) return margin - from;
  return to > room - margin ? Math.max(margin - from, room - margin - to) : 0;
}

function clamp(k: number): number {
  return Math.min(zoomLimits.most, Math.max(zoomLimits.least, k));
}

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** The nearest box in the direction of a key; what lies straight ahead before what is aside. */
export function neighbour(boxes: ReadonlyMap<string, Box>, id: string, arrow: Arrow): string | undefined {
  const here = boxes.get(id);
  if (!here) return boxes.keys().next().value;
  const [cx, cy] = middleOf(here);
  let best: string | undefined;
  let least = Infinity;
  for (const [other, box] of boxes) {
    if (other === id) continue;
    const [x, y] = middleOf(box);
    const along = { ArrowLeft: cx - x, ArrowRight: x - cx, ArrowUp: cy - y, ArrowDown: y - cy }[arrow];
    if (along <= 1) continue;
    const aside = Math.abs(arrow === "ArrowLeft" || arrow === "ArrowRight" ? y - cy : x - cx);
    const distance = along + 2 * aside;
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

function middleOf({ x, y, width, height }: Box): [number, number] {
  return [x + width / 2, y + height / 2];
}
