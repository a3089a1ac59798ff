import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeOf, manyEdges } from "./edges.fixture.ts";
import { createPlaces } from "./ends.ts";
import { buildGraph } from "./graph.ts";
import { createMemory, place, type Box, type Layout } from "./place.ts";
import { routeLinks } from "./route.ts";

const placeOf = createPlaces([]);
const chain = [
  edgeOf("198.51.100.7", "edge/gateway"),
  edgeOf("edge/gateway", "shop/web"),
  edgeOf("shop/web", "data/db"),
  edgeOf("data/db", "backup.example.org"),
];

test("traffic runs from left to right: clients outside first, servers outside last", () => {
  const { layout } = place(buildGraph(chain, placeOf, new Set()), createMemory());
  const x = (id: string): number => layout.groups.get(id)?.x ?? NaN;
  const order = ["@clients", "east/edge", "east/shop", "east/data", "@servers"].map(x);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.equal(new Set(order).size, 5);
});

test("the same edges in another order give the same picture", () => {
  const edges = manyEdges(300, 900);
  const one = place(buildGraph(edges, placeOf, new Set(["east/team-3"])), createMemory()).layout;
  const other = place(buildGraph(edges.toReversed(), placeOf, new Set(["east/team-3"])), createMemory()).layout;
  assert.deepEqual(sorted(one), sorted(other));
});

test("nobody moves because another comes or goes", () => {
  const edges = manyEdges(300, 900);
  const open = new Set(["east/team-3"]);
  const first = place(buildGraph(edges, placeOf, open), createMemory());
  const more = [
    ...edges.slice(0, 880),
    edgeOf("team-3/aaa-new", "team-3/service-1"),
    edgeOf("aaa-new/one", "team-1/service-0"),
    edgeOf("team-1/service-0", "zzz-new/two"),
    edgeOf("198.51.100.7", "team-1/service-0"),
  ];
  const second = place(buildGraph(more, placeOf, open), first.memory);
  for (const [id, box] of first.layout.nodes) {
    const later = second.layout.nodes.get(id);
    if (later) assert.deepEqual(later, box, id);
  }
  for (const id of ["east/team-3 team-3/aaa-new", "east/aaa-new", "east/zzz-new", "@clients"]) {
    assert.ok(second.layout.nodes.has(id), id);
  }
});

test("who comes into an open group moves nobody who stands below it", () => {
  const edges = ["a", "b", "c"].flatMap((name) => [
    edgeOf("edge/gateway", `${name}/web`),
    edgeOf("edge/gateway", `${name}/api`),
  ]);
  const open = new Set(["east/a", "east/b", "east/c"]);
  const first = place(buildGraph(edges, placeOf, open), createMemory());
  const later = place(buildGraph([...edges, edgeOf("edge/gateway", "a/new")], placeOf, open), first.memory);
  const box = ({ layout }: typeof first, id: string): Box | undefined => layout.groups.get(id);
  assert.ok((box(later, "east/a")?.height ?? 0) > (box(first, "east/a")?.height ?? NaN), "the group has grown");
  for (const id of ["east/b", "east/c", "east/edge"]) assert.deepEqual(box(later, id), box(first, id), id);
});

test("an open group makes room for itself, and closed again all is as it was", () => {
  const edges = manyEdges(400, 1500);
  const closed = place(buildGraph(edges, placeOf, new Set()), createMemory());
  const open = place(buildGraph(edges, placeOf, new Set(["east/team-1", "east/team-2"])), closed.memory);
  assertApart([...open.layout.groups.values()]);
  const again = place(buildGraph(edges, placeOf, new Set()), open.memory);
  assert.deepEqual(sorted(again.layout), sorted(closed.layout));
});

test("2,000 workloads and 10,000 edges: nothing lies over anything, open or closed", () => {
  const edges = manyEdges(2000, 10_000);
  for (const open of [new Set<string>(), new Set(Array.from({ length: 12 }, (_, n) => `east/team-${n}`))]) {
    const graph = buildGraph(edges, placeOf, open);
    const { layout } = place(graph, createMemory());
    assertApart([...layout.groups.values()]);
    assertApart([...layout.nodes.values()]);
    const lines = routeLinks(graph.links, layout.nodes);
    assert.equal(lines.length, graph.links.length);
    assert.ok(lines.every(({ path }) => !path.includes("NaN")));
  }
});

test("nothing gives an empty picture", () => {
  const { layout } = place(buildGraph([], placeOf, new Set(["east/shop"])), createMemory());
  assert.deepEqual(layout.bounds, { x: 0, y: 0, width: 0, height: 0 });
});

function sorted({ groups, nodes }: Layout): [string, Box][] {
  return [...groups, ...nodes].sort(([a], [b]) => (a < b ? -1 : 1));
}

function assertApart(boxes: readonly Box[]): void {
  const byTop = boxes.toSorted((a, b) => a.y - b.y);
  for (const [index, one] of byTop.entries()) {
    for (const other of byTop.slice(index + 1)) {
      if (other.y >= one.y + one.height) break;
      assert.ok(other.x >= one.x + one.width || one.x >= other.x + other.width, JSON.stringify([one, other]));
    }
  }
}
