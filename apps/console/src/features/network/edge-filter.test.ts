import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeOf } from "./edges.fixture.ts";
import { filterEdges, namespacesOf, portsOf } from "./edge-filter.ts";
import { encryptionOf, verdictOf } from "./ends.ts";

const allowed = { allowed: true, reason: "" };
const web = edgeOf("shop/web", "shop/db", {
  ports: [{ port: 5432, protocol: "TCP", connections: 9, firstSeen: 0, isNew: false, verdict: allowed }],
  verdict: allowed,
  processes: ["node"],
  encrypted: 10,
});
const out = edgeOf("shop/web", "api.example.com", { isNew: true, clear: ["http"], credential: true });
const refused = edgeOf("lab/probe", "shop/db", {
  results: { established: 3, refused: 0, "timed-out": 0, denied: 7, unknown: 0 },
  verdict: allowed,
  deniedBy: ["shop/db-only"],
});
const all = [web, out, refused];

test("edges are found by either end, by process, by who denied, by port", () => {
  assert.deepEqual(filterEdges(all, {}), all);
  assert.deepEqual(filterEdges(all, { namespace: "lab" }), [refused]);
  assert.deepEqual(filterEdges(all, { namespace: "shop" }), all);
  assert.deepEqual(filterEdges(all, { q: "EXAMPLE.com" }), [out]);
  assert.deepEqual(filterEdges(all, { q: "node shop/db" }), [web]);
  assert.deepEqual(filterEdges(all, { q: "db-only" }), [refused]);
  assert.deepEqual(filterEdges(all, { port: "5432/TCP" }), [web]);
  assert.deepEqual(filterEdges(all, { fresh: true }), [out]);
});

test("what was denied is denied, whatever policies say now; what nobody can judge is neither", () => {
  assert.equal(verdictOf(refused), "denied");
  assert.equal(verdictOf(web), "allowed");
  assert.equal(verdictOf(out), "unjudged");
  assert.equal(verdictOf({ ...web, verdict: { allowed: false, reason: "" } }), "denied");
  assert.deepEqual(filterEdges(all, { verdict: "denied" }), [refused]);
});

test("a password in clear text is worse than clear text, and that no TLS was seen is not clear text", () => {
  assert.equal(encryptionOf(out), "credential");
  assert.equal(encryptionOf({ ...out, credential: false }), "clear");
  assert.equal(encryptionOf(web), "all");
  assert.equal(encryptionOf({ ...web, encrypted: 4 }), "some");
  assert.equal(encryptionOf(refused), "unknown");
});

test("what can be chosen is what there is", () => {
  assert.deepEqual(namespacesOf(all), ["lab", "shop"]);
  assert.deepEqual(portsOf(all), ["443/TCP", "5432/TCP"]);
});
