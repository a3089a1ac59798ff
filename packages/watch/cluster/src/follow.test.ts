import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@bulwark/kube";
import { kubeKinds, type KubeChange } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import { eventually, fakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { collections } from "./collections.ts";
import { followCluster, type Following } from "./follow.ts";

const logger = createLogger("test");
logger.level = "silent";
const namespace: FakeObject = { kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: "system" } };
const pod = (name: string, change: object = {}): FakeObject => ({
  ...{ kind: "Pod", apiVersion: "v1", metadata: { name, namespace: "shop", uid: `uid-${name}`, ...change } },
});

/** A cluster of a test and all that was written of it. */
async function follow(
  stack: AsyncDisposableStack,
  pods: FakeObject[],
  options: {
    mostObjects?: number;
    manifests?: boolean;
    write?: (changes: readonly KubeChange[]) => Promise<number>;
  } = {},
) {
  const fake = stack.use(await fakeKubernetes());
  fake.put(collections.Namespace, namespace);
  fake.put(collections.Pod, ...pods);
  const written: KubeChange[] = [];
  const following: Following = stack.use(
    await followCluster({
      ...{
        name: "east",
        client: connect({ access: fake.access }),
        gather: 5,
        mostObjects: 1000,
        syncedAt: null,
        logger,
      },
      write: async (changes) => {
        written.push(...changes);
        return changes.length;
      },
      ...options,
    }),
  );
  return { fake, following, written };
}
const complete = async (following: Following): Promise<true> =>
  eventually("it is complete", () => following.isComplete || undefined);

test("no more objects are kept than the bound says, by list or by watch; each that is not is counted, and room is used again", async () => {
  await using stack = new AsyncDisposableStack();
  const { fake, following, written } = await follow(
    stack,
    [1, 2, 3, 4].map((n) => pod(`p${n}`)),
    { mostObjects: 4 },
  );
  await complete(following);
  const kept = (): number => written.filter(({ type }) => type === "put").length;
  assert.equal(kept(), 4, "the namespace and three pods");
  assert.equal(following.status().counters["dropped"], 1);
  assert.match(following.status().reason, /1 objects are beyond the bound/);
  fake.put(collections.Pod, pod("late"));
  await eventually("the late one is counted", () => following.status().counters["dropped"] === 2 || undefined);
  assert.equal(kept(), 4);
  fake.remove(collections.Pod, "uid-p1");
  fake.put(collections.Pod, pod("later"));
  await eventually("there is room for the later one", () => kept() === 5 || undefined);
});

test("an object that is not as it should be is counted, and what was known of it is not said to have gone", async () => {
  await using stack = new AsyncDisposableStack();
  const labels = { app: 7 };
  const { following, written } = await follow(stack, [pod("whole"), pod("broken", { labels })]);
  await complete(following);
  const { state, counters } = following.status();
  assert.equal(state, "degraded");
  assert.equal(counters["unreadable"], 1);
  const list = written.find((change) => change.type === "list" && change.kind === "Pod");
  assert.ok(list?.type === "list" && list.uids.includes("uid-broken"));
});

test("what the taker does not take comes again, in order, and the trouble is told until it is over", async () => {
  await using stack = new AsyncDisposableStack();
  let refuses = true;
  const taken: KubeChange[] = [];
  const write = async (changes: readonly KubeChange[]): Promise<number> => {
    if (refuses) throw new Error("disk full");
    taken.push(...changes);
    return changes.length;
  };
  const { fake, following } = await follow(stack, [pod("a")], { write });
  await eventually("it is told", () => /disk full/.test(following.status().reason) || undefined);
  await eventually("the pod was read", () => fake.watching === kubeKinds.length || undefined);
  assert.equal(following.isComplete, false);
  fake.put(collections.Pod, pod("a", { labels: { round: "2" } }));
  fake.remove(collections.Pod, "uid-a");
  refuses = false;
  await complete(following);
  assert.equal(following.status().reason, "");
  const ofPod = taken.flatMap((change) =>
    change.type === "put" && change.object.uid === "uid-a" ? ["put"] : change.type === "delete" ? ["gone"] : [],
  );
  assert.deepEqual(ofPod, ["put", "put", "gone"]);
});

test("where whole objects are wanted, each is told once, and again when it is another; its status alone makes none", async () => {
  await using stack = new AsyncDisposableStack();
  const { fake, following, written } = await follow(stack, [pod("a")], { manifests: true });
  await complete(following);
  const told = (): (string | null | undefined)[] =>
    written.flatMap((change) =>
      change.type === "put" && change.object.uid === "uid-a" ? [change.manifest?.replace(/"uid".*/, "")] : [],
    );
  const first = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"shop",`;
  assert.deepEqual(told(), [first]);
  fake.put(collections.Pod, { ...pod("a"), status: { podIP: "10.0.0.1" } });
  await eventually("its address is told", () => told().length === 2 || undefined);
  fake.put(collections.Pod, pod("a", { labels: { team: "b" } }));
  await eventually("its label is told", () => told().length === 3 || undefined);
  assert.equal(told()[1], undefined);
  assert.notEqual(told()[2], undefined);
});

test("it ends although nobody takes what it reads, and more waits than is kept", async () => {
  const stack = new AsyncDisposableStack();
  const pods = Array.from({ length: 5000 }, (_, n) => pod(`p${n}`));
  const write = async (): Promise<number> => Promise.reject(new Error("refused"));
  const { following } = await follow(stack, pods, { mostObjects: 10_000, write });
  await eventually("it is told", () => /refused/.test(following.status().reason) || undefined);
  // Its pages fill what may wait.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await stack[Symbol.asyncDispose]();
});
