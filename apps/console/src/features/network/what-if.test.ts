import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeOf, endOf } from "./edges.fixture.ts";
import { isDenied, whatIfOf } from "./what-if.ts";

test("what pods would be denied is marked at the workloads that they are of", () => {
  const web = endOf("shop/web");
  const pod = {
    ...web,
    key: "shop/web/web-6d9f8-0",
    workload: web.workload && { ...web.workload, pod: "web-6d9f8-0" },
  };
  const denied = { client: pod, server: endOf("shop/db"), port: 5432, protocol: "TCP" } as const;
  const told = { connections: 3, first: 0, last: 0, side: "ingress", reason: "no rule", deniedNow: false } as const;
  const whatIf = whatIfOf({ denied: [{ ...denied, ...told }] });
  assert.equal(isDenied(whatIf, edgeOf("shop/web", "shop/db")), true);
  assert.equal(isDenied(whatIf, edgeOf("shop/db", "shop/web")), false);
  assert.equal(isDenied(whatIf, { ...edgeOf("shop/web", "shop/db"), client: endOf("shop/web", "west") }), false);
  assert.equal(isDenied(undefined, edgeOf("shop/web", "shop/db")), false);
});
