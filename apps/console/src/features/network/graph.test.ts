import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeOf, endOf } from "./edges.fixture.ts";
import { createPlaces, endName, namespaceName } from "./ends.ts";
import { buildGraph, mostMembers } from "./graph.ts";

const placeOf = createPlaces([]);
const edges = [
  edgeOf("shop/web", "shop/db"),
  edgeOf("shop/web", "pay/api", { connections: 3, isNew: true }),
  edgeOf("shop/cron", "pay/api", { connections: 4, verdict: { allowed: false, reason: "no rule" } }),
  edgeOf("pay/api", "bank.example.org", { encrypted: 10 }),
  edgeOf("203.0.113.9", "shop/web"),
];

test("namespaces are one node each until they are opened; what is within them is counted", () => {
  const { groups, links } = buildGraph(edges, placeOf, new Set());
  assert.deepEqual(
    groups.map(({ id, ends, inside }) => [id, ends, inside]),
    [
      ["@clients", 1, 0],
      ["@servers", 1, 0],
      ["east/pay", 1, 0],
      ["east/shop", 3, 1],
    ],
  );
  const toPay = links.find(({ from, to }) => from === "east/shop" && to === "east/pay");
  assert.equal(toPay?.connections, 7);
  assert.equal(toPay.verdict, "part", "one of the two is denied");
  assert.equal(toPay.fresh, true);
  assert.equal(links[0], toPay, "what is denied comes first");
  assert.equal(links.find(({ to }) => to === "@servers")?.encryption, "all");
  assert.equal(links.length, 3, "what stays within a closed namespace is no line");
});

test("an open namespace shows its workloads and what they have to do with each other", () => {
  const { groups, links } = buildGraph(edges, placeOf, new Set(["east/shop"]));
  const shop = groups.find(({ id }) => id === "east/shop");
  assert.deepEqual(
    shop?.nodes.map(({ name, denied, fresh }) => [name, denied, fresh]),
    [
      ["cron", 1, 0],
      ["db", 0, 0],
      ["web", 0, 1],
    ],
  );
  assert.ok(links.some(({ from, to }) => from === "east/shop shop/web" && to === "east/shop shop/db"));
  assert.ok(links.some(({ from, to }) => from === "east/shop shop/cron" && to === "east/pay"));
});

test("a group with more than can be read keeps the busiest, and says how many are folded", () => {
  const many = Array.from({ length: mostMembers + 50 }, (_, n) =>
    edgeOf("shop/web", `host-${n}.example.com`, { connections: n }),
  );
  const { groups, links } = buildGraph(many, placeOf, new Set(["@servers"]));
  const servers = groups.find(({ id }) => id === "@servers");
  assert.equal(servers?.nodes.length, mostMembers);
  assert.equal(servers.nodes.at(-1)?.ends, 51);
  assert.ok(servers.nodes.some(({ name }) => name === `host-${mostMembers + 49}.example.com`));
  assert.equal(
    links.reduce((sum, link) => sum + link.edges.length, 0),
    many.length,
    "no edge is lost",
  );
});

test("nodes are not outside, and containers without a pod are no namespace", () => {
  const observer = { node: "east/node-1", cluster: "east", from: 0, until: 0, live: true, lost: 0, gaps: [] };
  const told = createPlaces([observer]);
  assert.equal(told(endOf("node-1"), "client").group, "@nodes");
  assert.equal(told(endOf("node-2"), "client").group, "@clients");
  assert.equal(told(endOf("/proxy"), "server").kind, "bare");
  assert.equal(endName(endOf("/proxy")), "proxy");
  assert.equal(endName(endOf("shop/web")), "shop/web");
  assert.equal(namespaceName("east/shop", 1), "shop");
  assert.equal(namespaceName("east/shop", 2), "east/shop");
});

test("namespaces of the same name in two clusters stay apart", () => {
  const west = {
    ...edgeOf("shop/web", "shop/db"),
    client: endOf("shop/web", "west"),
    server: endOf("shop/db", "west"),
  };
  const { groups } = buildGraph([edgeOf("shop/web", "shop/db"), west], placeOf, new Set());
  assert.deepEqual(
    groups.map(({ id }) => id),
    ["east/shop", "west/shop"],
  );
});
