import assert from "node:assert/strict";
import { test } from "node:test";
import {
  quarantineOf,
  type ActionRecord,
  type ActionState,
  type Container,
  type WorkloadQuarantine,
} from "@bulwark/model";
import { sampleContainer } from "@bulwark/testkit";
import { Quarantines } from "./quarantines.ts";

function container(number: number, workload = "web", more: Partial<Container> = {}): Container {
  const owners = [{ kind: "Deployment", apiVersion: "apps/v1", name: workload, uid: workload }];
  const metadata = { labels: {}, owners, serviceAccount: "default" };
  const name = `${workload}-${number}`;
  return sampleContainer(number, { pod: { namespace: "shop", name, uid: name, container: "c", metadata }, ...more });
}

const quarantine: WorkloadQuarantine = {
  ...{ id: "workload-1", cluster: "east", namespace: "shop", workload: "web", except: [], onFailure: "open" },
  ...{ by: "alice", reason: "odd", time: 0, until: 3_600_000 },
};

/** A node whose responder does as it is told to answer. */
function node() {
  const state = { wanted: [quarantine], containers: [container(1)], answer: "done" as ActionState, now: 0 };
  const acted: ActionRecord[] = [];
  let lasting: ActionRecord[] = [];
  const quarantines = new Quarantines({
    wanted: () => state.wanted,
    containers: () => state.containers,
    async act({ id, action, container: { id: own }, by, reason }) {
      const told = { container: own, containerName: own, alert: null, text: "", remedy: "", counts: null };
      const record = { ...told, id, action, by, reason, node: "node-1", time: 0, until: null, state: state.answer };
      acted.push(record);
      if (record.state === "done") lasting.push(record);
      return record;
    },
    async undo(id) {
      lasting = lasting.filter((one) => one.id !== id);
    },
    lasting: () => lasting,
    now: () => state.now,
  });
  return { state, acted, quarantines, cut: () => lasting.map(({ container: id }) => id), lasting: () => lasting };
}

test("every container of the workload is cut, those that come later for what is left of the time; no other is", async () => {
  const { state, acted, quarantines, cut } = node();
  state.containers = [container(1), container(2), container(3, "db"), container(4, "web", { pod: null })];
  await quarantines.look();
  const [first, second] = state.containers;
  assert.deepEqual(cut(), [first?.id, second?.id]);
  assert.ok(
    acted.every(({ id, by, reason }) => quarantineOf(id) === "workload-1" && by === "alice" && reason === "odd"),
  );
  state.now = 3_000_000;
  const later = container(5);
  state.containers.push(later);
  await Promise.all([quarantines.look(), quarantines.look()]);
  assert.deepEqual(cut(), [first?.id, second?.id, later.id]);
  assert.equal(acted.length, 3, "each once");
  const { action } = acted.at(-1) ?? {};
  assert.ok(action?.kind === "quarantine" && action.limitMs === 600_000);
});

test("one whose owner is known only later is cut then", async () => {
  const { state, quarantines, cut } = node();
  const known = container(1);
  assert.ok(known.pod);
  const { metadata: _, ...pod } = known.pod;
  state.containers = [{ ...known, pod }];
  await quarantines.look();
  assert.deepEqual(cut(), []);
  state.containers = [known];
  await quarantines.look();
  assert.deepEqual(cut(), [known.id]);
});

test("what the control plane tells no more is undone, but nothing that is of no workload", async () => {
  const { state, quarantines, cut, lasting } = node();
  await quarantines.look();
  const [own] = lasting();
  assert.ok(own);
  lasting().push({ ...own, id: "of-a-person", container: "other" });
  state.wanted = [];
  await quarantines.look();
  assert.deepEqual(cut(), ["other"]);
});

test("an action that a person undid by hand stays undone", async () => {
  const { state, acted, quarantines, lasting } = node();
  await quarantines.look();
  lasting().length = 0;
  state.now = 1_000_000;
  await quarantines.look();
  assert.equal(acted.length, 1);
});

test("what a person cut by itself is the workload's when that is over", async () => {
  const { state, acted, quarantines, lasting } = node();
  const action = { kind: "quarantine" as const, limitMs: 1000, except: [], onFailure: "open" as const };
  const told = { node: "node-1", time: 0, alert: null, text: "", remedy: "", counts: null, until: 1000 };
  const container_ = state.containers[0]?.id ?? "";
  const by = { by: "bob", reason: "mine", containerName: "", state: "done" as const };
  lasting().push({ ...told, ...by, id: "of-a-person", container: container_, action });
  await quarantines.look();
  assert.equal(acted.length, 0);
  lasting().length = 0;
  await quarantines.look();
  assert.equal(acted.length, 1);
});

test("what failed or was refused is tried again, ever more slowly, under another id", async () => {
  const { state, acted, quarantines, cut } = node();
  state.answer = "refused";
  for (state.now = 0; state.now < 60_000; state.now += 1000) await quarantines.look();
  assert.equal(acted.length, 4, "at 0, 5, 15 and 35 seconds");
  state.answer = "done";
  state.now = 80_000;
  await quarantines.look();
  assert.equal(cut().length, 1);
  assert.equal(new Set(acted.map(({ id }) => id)).size, 5);
});

test("an agent that comes after one that was killed takes what lasts for its own", async () => {
  const { state, acted, lasting } = node();
  const before = node();
  await before.quarantines.look();
  lasting().push(...before.lasting());
  const quarantines = new Quarantines({
    wanted: () => state.wanted,
    containers: () => state.containers,
    act: async () => assert.fail("it is cut already"),
    undo: async (id) =>
      void lasting().splice(
        lasting().findIndex((one) => one.id === id),
        1,
      ),
    lasting,
    now: () => 0,
  });
  await quarantines.look();
  assert.deepEqual([acted.length, lasting().length], [0, 1]);
  state.wanted = [];
  await quarantines.look();
  assert.deepEqual(lasting(), []);
});

test("when its time is all but over nothing is begun", async () => {
  const { state, acted, quarantines } = node();
  state.now = quarantine.until - 500;
  await quarantines.look();
  assert.equal(acted.length, 0);
});
