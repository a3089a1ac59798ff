import assert from "node:assert/strict";
import { test } from "node:test";
import { alertSearch } from "./features/alerts/search.ts";
import { imageSearch } from "./features/assets/search.ts";
import { parseSearch, stringifySearch } from "./search.ts";

test("the state of a list survives the way through the address", () => {
  const search = {
    severity: ["critical", "high"],
    state: "open",
    since: 1_700_000_000_000,
    q: "a&b=c #1",
    id: "n/b/1",
  };
  assert.deepEqual(alertSearch(parseSearch(stringifySearch(search))), search);
  assert.equal(stringifySearch({ severity: ["critical", "high"] }), "?severity=critical,high");
});

test("a key of an image survives, with everything that is in it", () => {
  const id = "registry.example:5000/a/b@sha256:00+%2C,x";
  assert.deepEqual(imageSearch(parseSearch(stringifySearch({ id }))), { id });
});

test("what an address says wrongly is passed over, not sent on", () => {
  assert.deepEqual(alertSearch(parseSearch("?severity=critical,nonsense&state=gone&since=-1&until=x&q=")), {
    severity: ["critical"],
  });
  assert.deepEqual(alertSearch(parseSearch(`?q=${"x".repeat(1000)}`)), { q: "x".repeat(256) });
  assert.deepEqual(imageSearch(parseSearch("?view=__proto__&sort=constructor")), {});
});
