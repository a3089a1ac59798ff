import type { MapLink } from "./graph.ts";
import type { Box } from "./place.ts";

export interface Route {
  link: MapLink;
  /** Of SVG. */
  path: string;
  /** Where marks stand. */
  middle: { x: number; y: number };
}

interface Anchor {
  x: number;
  y: number;
  side: "left" | "right";
}

/**
 * A curve for each link, from the side of one box to the side of the other. At a side the ends stand in the order of
 * where they go, so that they do not cross there.
 */
export function routeLinks(links: readonly MapLink[], boxes: ReadonlyMap<string, Box>): Route[] {
  const ends = new Map<string, { link: MapLink; end: "from" | "to"; other: number }[]>();
  const drawn = links.flatMap((link) => {
    const [from, to] = [boxes.get(link.from), boxes.get(link.to)];
    if (!from || !to || link.from === link.to) return [];
    const [leave, reach] = sidesOf(from, to);
    note(`${leave} ${link.from}`, { link, end: "from", other: to.y + to.height / 2 });
    note(`${reach} ${link.to}`, { link, end: "to", other: from.y + from.height / 2 });
    return [{ link, from, to, leave, reach }];
  });
  function note(key: string, one: { link: MapLink; end: "from" | "to"; other: number }): void {
    const known = ends.get(key);
    if (known) known.push(one);
    else ends.set(key, [one]);
  }
  const offsets = new Map<string, number>();
  for (const list of ends.values()) {
    list.sort((a, b) => a.other - b.other || (a.link.id < b.link.id ? -1 : 1));
    for (const [index, { link, end }] of list.entries()) {
      // From -0.5 to 0.5 along the side.
      offsets.set(`${end} ${link.id}`, list.length === 1 ? 0 : index / (list.length - 1) - 0.5);
    }
  }
  return drawn.map(({ link, from, to, leave, reach }) => {
    const start = anchor(from, leave, offsets.get(`from ${link.id}`) ?? 0);
    const end = anchor(to, reach, offsets.get(`to ${link.id}`) ?? 0);
    return { link, ...curve(start, end) };
  });
}

/** Forward from right to left; what stands above each other is joined at the right. */
function sidesOf(from: Box, to: Box): ["left" | "right", "left" | "right"] {
  if (to.x >= from.x + from.width) return ["right", "left"];
  if (to.x + to.width <= from.x) return ["left", "right"];
  return ["right", "right"];
}

/** So much of a side is used, and no more than a few pixels for each end. */
const used = 0.62;

function anchor(box: Box, side: "left" | "right", offset: number): Anchor {
  const span = Math.min(box.height * used, 120);
  return { x: side === "right" ? box.x + box.width : box.x, y: box.y + box.height / 2 + offset * span, side };
}

function curve(start: Anchor, end: Anchor): Pick<Route, "path" | "middle"> {
  const reach = Math.max(28, Math.min(140, Math.abs(end.x - start.x) / 2));
  const bend = start.side === end.side ? Math.max(36, Math.min(90, Math.abs(end.y - start.y) / 3)) : reach;
  const first = { x: start.x + (start.side === "right" ? bend : -bend), y: start.y };
  const second = { x: end.x + (end.side === "right" ? bend : -bend), y: end.y };
  const path = `M${at(start)}C${at(first)} ${at(second)} ${at(end)}`;
  const middle = {
    x: (start.x + 3 * first.x + 3 * second.x + end.x) / 8,
    y: (start.y + 3 * first.y + 3 * second.y + end.y) / 8,
  };
  return { path, middle };
}

function at({ x, y }: { x: number; y: number }): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}
