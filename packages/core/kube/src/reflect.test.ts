import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually, fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { connect, reflect, resources, type Change, type Kube, type Reflection } from "./index.ts";

function pod(name: string, labels: Record<string, string> = {}): FakeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels },
    spec: { big: "x".repeat(50) },
  };
}

interface Seen {
  server: FakeKubernetes;
  kube: Kube;
  reflection: Reflection<{ name: string }>;
  changes: Change<{ name: string }>[];
}

/** Runs with a reflection of pods that is in step; afterwards it has stopped. */
async function reflecting(pods: number, run: (seen: Seen) => Promise<void>, idle?: number): Promise<void> {
  await using server = await fakeKubernetes();
  for (let index = 0; index < pods; index++) server.put("pods", pod(`pod-${index}`));
  const access = { server: server.url, namespace: "default", token: () => Promise.resolve(undefined) };
  const kube = connect({ access });
  const stop = new AbortController();
  const changes: Change<{ name: string }>[] = [];
  const reflection = reflect(kube, resources.pods, {
    project: ({ metadata }) => ({ name: metadata.name }),
    onChange: (some) => void changes.push(...some),
    signal: stop.signal,
    backoff: 20,
    ...(idle === undefined ? {} : { idle }),
  });
  try {
    await reflection.synced;
    await eventually("a watch is open", () => server.watchers() === 1 || undefined);
    await run({ server, kube, reflection, changes });
  } finally {
    stop.abort();
    await reflection.stopped;
    kube.close();
  }
}

const names = ({ items }: Reflection<{ name: string }>): string[] => [...items.values()].map(({ name }) => name).sort();

/** All that is in the cluster is here, and nothing else. */
async function inStep({ server, reflection }: Seen): Promise<void> {
  const wanted = server.objects("pods").map(({ metadata }) => metadata.name);
  await eventually("in step", () => JSON.stringify(names(reflection)) === JSON.stringify(wanted.sort()) || undefined);
}

describe("a reflection", () => {
  test("has every object of many pages, and then what changes", () =>
    reflecting(1234, async (seen) => {
      const { server, reflection, changes } = seen;
      assert.equal(reflection.items.size, 1234);
      assert.equal(server.counts.lists, 3);
      server.put("pods", pod("new"));
      server.put("pods", pod("new", { app: "web" }));
      server.remove("pods", "pod-7", "shop");
      await inStep(seen);
      assert.equal(changes.length, 1234 + 3);
      assert.equal(reflection.health().events, 3);
    }));

  test("a name that is used again at once is one end and one beginning", () =>
    reflecting(1, async (seen) => {
      const { server, changes } = seen;
      server.remove("pods", "pod-0", "shop");
      server.put("pods", pod("pod-0"));
      await eventually("both are told", () => changes.length === 3 || undefined);
      const [first, end, second] = changes;
      assert.equal(end?.uid, first?.uid);
      assert.equal(end?.after, undefined);
      assert.notEqual(second?.uid, first?.uid);
    }));

  for (const way of ["status", "event"] as const) {
    test(`lists again where the version is gone, said by ${way}`, () =>
      reflecting(3, async (seen) => {
        const { server, reflection } = seen;
        server.faults.gone = way;
        server.cut();
        await eventually("the watch is cut", () => server.watchers() === 0 || undefined);
        for (let index = 0; index < 50; index++) server.put("pods", pod(`more-${index}`));
        server.remove("pods", "pod-1", "shop");
        await eventually("it lists again", () => reflection.health().lists > 1 || undefined);
        server.faults.gone = undefined;
        await inStep(seen);
        assert.equal(reflection.items.size, 52);
      }));
  }

  test("goes on where it was when the watch is cut half way through an object", () =>
    reflecting(3, async (seen) => {
      const { server, reflection, changes } = seen;
      for (let turn = 0; turn < 5; turn++) {
        server.cut();
        server.put("pods", pod(`after-${turn}`));
        await eventually("told", () => changes.some(({ after }) => after?.name === `after-${turn}`) || undefined);
      }
      await inStep(seen);
      assert.equal(reflection.health().lists, 1, "without another list");
      assert.equal(changes.length, 3 + 5, "each told once");
    }));

  test("a server that was compacted while it was away is listed", () =>
    reflecting(3, async (seen) => {
      const { server } = seen;
      server.faults.down = true;
      server.cut();
      server.remove("pods", "pod-0", "shop");
      server.put("pods", pod("late"));
      server.compact();
      await eventually("it notices", () => seen.reflection.health().problem);
      server.faults.down = false;
      await inStep(seen);
      await eventually("all is well", () => seen.reflection.health().problem === undefined || undefined);
    }));

  test("a bookmark moves it on, so that what came before is not asked for again", () =>
    reflecting(1, async (seen) => {
      const { server, reflection } = seen;
      server.bookmark();
      server.put("pods", pod("x"));
      await inStep(seen);
      assert.equal(reflection.health().lists, 1);
    }));

  test("waits as long as it is asked to", () =>
    reflecting(1, async (seen) => {
      const { server } = seen;
      server.faults.busy = { requests: 3, seconds: 0.2 };
      server.cut();
      server.put("pods", pod("x"));
      await inStep(seen);
      assert.equal(server.counts.refused, 3);
    }));

  test("a silent server is asked again", () =>
    reflecting(
      1,
      async (seen) => {
        const { server } = seen;
        server.faults.silent = true;
        server.put("pods", pod("unheard"));
        await eventually("it is noticed", () => seen.reflection.health().problem?.includes("silent") || undefined);
        server.faults.silent = false;
        await inStep(seen);
      },
      300,
    ));
});
