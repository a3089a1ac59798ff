import assert from "node:assert/strict";
import { test } from "node:test";
import { createAggregate } from "./aggregate.ts";
import { flowOf, type End } from "./flow.ts";

const hour = 3_600_000;

function pod(name: string, number: number): End {
  const workload = {
    namespace: "shop",
    name,
    kind: null,
    pod: `${name}-${number}`,
    labels: { app: name },
    serviceAccount: null,
    node: null,
  };
  return { workload, ip: null, name: null };
}

test("flows of a workload's pods are one edge, of pods they are several", () => {
  for (const [grain, size] of [
    ["namespace", 1],
    ["workload", 1],
    ["pod", 2],
  ] as const) {
    const aggregate = createAggregate({ grain });
    for (const number of [1, 2, 1]) {
      aggregate.add(
        flowOf({
          client: pod("web", number),
          server: pod("api", 1),
          port: 80,
          protocol: "TCP",
          first: number * hour,
          result: "established",
          bytesOut: 5,
        }),
      );
    }
    assert.equal(aggregate.size, size, grain);
    const edges = [...aggregate.edges()];
    assert.equal(
      edges.reduce((sum, { connections }) => sum + connections, 0),
      3,
    );
    assert.equal(
      edges.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
      15,
    );
    assert.equal(Math.max(...edges.map(({ hours }) => hours)), size === 1 ? 2 : 1);
  }
});

test("beyond its bound it loses flows and says how many; known edges go on", () => {
  const aggregate = createAggregate({ limit: 1 });
  const flow = (port: number) =>
    flowOf({ client: pod("web", 1), server: pod("api", 1), port, protocol: "TCP", first: 0 });
  assert.deepEqual(
    [80, 81, 80, 82].map((port) => aggregate.add(flow(port))),
    [true, false, true, false],
  );
  assert.equal(aggregate.size, 1);
  assert.equal(aggregate.lost, 2);
});
