/** What is done about an alert through an API server: by an order of a person, by the agent, with the rights of its pod. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "@bulwark/contract";
import type { Action, ActionRecord } from "@bulwark/model";
import { eventually } from "@bulwark/testkit";
import { namespace } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";
import { podOf } from "./installed.ts";

const patience = 60_000;

interface Guarded {
  readonly api: Client;
  /** The cluster role of its agents. */
  readonly role: string;
}

export function responseTests(there: ApiServer, guarded: Guarded): void {
  const cordon: Action = { kind: "cordon", limitMs: 600_000 };
  const deletion: Action = { kind: "delete-pod" };

  async function containerOf(uid: string): Promise<string> {
    return eventually(
      "its container is known",
      async () => {
        const { items } = await guarded.api.listContainers({ query: { state: "running" } });
        return items.find(({ pod }) => pod?.uid === uid)?.id;
      },
      patience,
    );
  }
  async function order(container: string, action: Action, dryRun = false): Promise<ActionRecord> {
    const body = { container, alert: null, action, reason: "a test", dryRun };
    const { id } = await guarded.api.orderAction({ body });
    return became(id, ({ state }) => state !== "ordered");
  }
  async function became(id: string, is: (record: ActionRecord) => boolean): Promise<ActionRecord> {
    const ask = async (): Promise<ActionRecord | undefined> => {
      const record = await guarded.api.getAction({ params: { id } });
      return is(record) ? record : undefined;
    };
    return eventually("the agent answers", ask, patience);
  }
  const isOpen = (): boolean => {
    const { spec } = there.cluster.get("node", "node-1") as { spec: { unschedulable?: boolean } };
    return spec.unschedulable !== true;
  };
  /** Takes the rights away that the chart gives for these two. */
  function disarm(): void {
    const { rules } = there.cluster.get("clusterrole", guarded.role) as { rules: { verbs: string[] }[] };
    const left = rules.filter(({ verbs }) => !verbs.includes("delete") && !verbs.includes("patch"));
    assert.equal(rules.length - left.length, 2);
    there.cluster.kubectl("patch", "clusterrole", guarded.role, `--patch=${JSON.stringify({ rules: left })}`);
  }

  test("a node is kept from new pods, and opened again: by a person, or when its time is over", async () => {
    const container = await containerOf(podOf(there.cluster, namespace, "app=web").uid);
    const scope = { namespaces: [namespace], images: [], containers: [], labels: "" };
    const policy = { name: "test", scope, mode: "enforce", system: false, automatic: null } as const;
    await guarded.api.setResponsePolicy({
      params: { id: "test" },
      body: { ...policy, actions: ["cordon", "delete-pod"] },
    });
    const tried = await order(container, cordon, true);
    assert.deepEqual([tried.state, tried.text], ["dry-run", "would keep new pods from the node node-1"]);
    assert.ok(isOpen());

    const done = await eventually(
      "the agent has the policy",
      async () => {
        const record = await order(container, cordon);
        return record.state === "refused" ? undefined : record;
      },
      patience,
    );
    assert.equal(done.state, "done", done.text);
    assert.equal(isOpen(), false);
    await guarded.api.undoAction({ params: { id: done.id } });
    await became(done.id, ({ state }) => state === "undone");
    assert.ok(isOpen());

    const short = await order(container, { ...cordon, limitMs: 1000 });
    const over = await became(short.id, ({ state }) => state === "undone");
    assert.equal(over.by, "time limit");
    assert.ok(isOpen());

    const { items } = await guarded.api.listAudit({ query: { limit: 100 } });
    const told = items.filter(({ target }) => target === container).map(({ action }) => action);
    for (const action of ["action.try", "action.order", "action.done", "action.undo", "action.undone"]) {
      assert.ok(told.includes(action), `${action} is not among ${told.join()}`);
    }

    // One that somebody else cordoned is not opened by us.
    there.cluster.kubectl("cordon", "node-1");
    const idle = await order(container, cordon);
    assert.match(idle.text, /was cordoned already/);
    assert.equal(idle.until, null);
    there.cluster.kubectl("uncordon", "node-1");
  });

  test("a pod is deleted, and its workload makes another; one that is gone already, or may not be deleted, says so", async () => {
    const pod = podOf(there.cluster, namespace, "app=web");
    const container = await containerOf(pod.uid);
    const tried = await order(container, deletion, true);
    assert.deepEqual([tried.state, tried.text], ["dry-run", `would delete the pod ${namespace}/${pod.name}`]);
    assert.equal(podOf(there.cluster, namespace, "app=web").uid, pod.uid);

    const done = await order(container, deletion);
    assert.deepEqual([done.state, done.text], ["done", `the pod ${namespace}/${pod.name} was deleted`]);
    const next = await eventually(
      "its workload makes another",
      () => {
        const found = podOf(there.cluster, namespace, "app=web");
        return found.uid === pod.uid ? undefined : found;
      },
      patience,
    );
    const orders = await guarded.api.listActions({ query: { container, limit: 50 } });
    assert.ok(
      orders.items.some(({ id, state }) => id === done.id && state === "done"),
      "it is on record",
    );

    const replaced = await containerOf(next.uid);
    disarm();
    const refused = await eventually(
      "the right is gone",
      async () => {
        const record = await order(replaced, cordon);
        return record.state === "failed" ? record : undefined;
      },
      patience,
    );
    assert.match(refused.text, /cannot (?:get|patch) resource "nodes"/);
    const kept = await order(replaced, deletion);
    assert.equal(kept.state, "failed");
    assert.match(kept.text, /cannot delete resource "pods"/);
    assert.notEqual(kept.remedy, "");
    assert.ok(isOpen());
    await guarded.api.deleteResponsePolicy({ params: { id: "test" } });
  });
}
