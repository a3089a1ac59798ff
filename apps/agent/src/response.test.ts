/** What is ordered is done by the runtime itself: of a real containerd. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openContainers, type ContainerRegistry } from "@bulwark/containers";
import type { Action, ActionRecord, ResponsePolicy } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import { eventually, missing, startContainerd, type TestContainer, type TestContainerd } from "@bulwark/testkit";
import { ClosedOrders } from "./closed-orders.ts";
import { Response } from "./response.ts";
import { runtimeActions } from "./runtime-actions.ts";

const patience = 30_000;
const allowed: ResponsePolicy = {
  id: "test",
  name: "test",
  scope: { namespaces: [], images: [], containers: [], labels: "" },
  mode: "enforce",
  actions: ["pause", "stop"],
  system: false,
  automatic: null,
};

describe("through the runtime", { skip: missing("root", "containerd", "runc", "busybox") }, () => {
  const stack = new AsyncDisposableStack();
  const told: ActionRecord[] = [];
  let containerd: TestContainerd;
  let registry: ContainerRegistry;
  let response: Response;
  let container: TestContainer;

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "bulwark-orders-"));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    containerd = stack.use(await startContainerd());
    const nowhere = { docker: [], "cri-o": [], podman: [], runc: [], crun: [] };
    registry = stack.use(
      await openContainers({ node: "here", paths: { ...nowhere, containerd: [containerd.socket] } }),
    );
    const log = createLogger("test");
    log.level = "silent";
    response = stack.use(
      new Response({
        ...{ node: "here", enabled: true, registry, means: { runtime: runtimeActions(registry) } },
        policies: () => [allowed],
        complete: (own) => own,
        told: (record) => told.push(record),
        closed: new ClosedOrders(join(folder, "closed-orders.json"), log),
        guard: () => undefined,
      }),
    );
    container = await started("trap 'echo asked; exit 0' TERM; while true; do echo tick; sleep 0.05; done");
  });
  after(async () => stack.disposeAsync());

  async function started(script: string): Promise<TestContainer> {
    const its = containerd.run({ args: ["sh", "-c", script] });
    await eventually("it is known", () => registry.byId(its.id), patience);
    return its;
  }
  let orders = 0;
  async function order(action: Action, dryRun = false, of = container.id): Promise<ActionRecord> {
    const id = `order-${++orders}`;
    const what = { kind: "act", container: of, alert: null, action, dryRun } as const;
    await response.obey({
      id,
      node: "here",
      expiresAt: Date.now() + 60_000,
      by: "anna",
      reason: "a test",
      order: what,
    });
    const record = told.findLast((one) => one.id === id);
    assert.ok(record, "each order is on record");
    return record;
  }
  const undo = async (action: string): Promise<void> =>
    response.obey({
      ...{ id: `undo-${++orders}`, node: "here", expiresAt: Date.now() + 60_000, by: "berta", reason: "a test" },
      order: { kind: "undo", action },
    });
  /** As containerd says it. */
  const state = (of = container.id): string =>
    new RegExp(`^${of}\\s+\\d+\\s+(\\w+)`, "m").exec(containerd.ctr("task", "list"))?.[1] ?? "none";
  const pause = (limitMs = 60_000): Action => ({ kind: "pause", limitMs });

  test("a pause is only said at first; done, containerd shows it; undone, the container goes on", async () => {
    const tried = await order(pause(), true);
    assert.equal(tried.state, "dry-run");
    assert.match(tried.text, /would pause .* through containerd/);
    assert.equal(state(), "RUNNING");

    const done = await order(pause());
    assert.deepEqual([done.state, done.by, done.text], ["done", "anna", "paused by containerd"]);
    assert.equal(state(), "PAUSED");
    const before = container.logs().length;
    const again = await order(pause());
    assert.equal(again.state, "refused");
    assert.match(again.text, new RegExp(done.id));
    assert.equal(container.logs().length, before);

    await undo(done.id);
    const undone = told.findLast(({ id }) => id === done.id);
    assert.deepEqual([undone?.state, undone?.by], ["undone", "berta"]);
    assert.equal(state(), "RUNNING");
    await eventually("it goes on", () => container.logs().length > before || undefined, patience);
  });

  test("its time limit ends a pause", async () => {
    const done = await order(pause(300));
    assert.equal(done.state, "done");
    await eventually("it is over", () => told.find(({ id, by }) => id === done.id && by === "time limit"), patience);
    assert.equal(state(), "RUNNING");
  });

  test("what fails says why: the runtime does not answer, the container has ended or is not known", async () => {
    const lost = await order(pause(), false, "nobody");
    assert.deepEqual([lost.state, lost.text], ["failed", "this node has no such container any more"]);
    await containerd.down();
    const failed = await order(pause());
    await containerd.up();
    assert.equal(failed.state, "failed");
    assert.match(failed.text, /containerd/);
    assert.notEqual(failed.remedy, "");
    await eventually("it answers again", () => registry.byId(container.id)?.state === "running" || undefined, patience);
    assert.equal(state(), "RUNNING");
  });

  test("a stop asks first; nobody can take it back", async () => {
    assert.equal((await order({ kind: "stop" }, true)).state, "dry-run");
    assert.equal(state(), "RUNNING");
    const done = await order({ kind: "stop" });
    assert.deepEqual([done.state, done.text, done.until], ["done", "stopped by containerd", null]);
    await eventually("it has ended", () => state() === "STOPPED" || undefined, patience);
    assert.match(container.logs(), /asked/);
    const records = told.length;
    await undo(done.id);
    assert.equal(told.length, records, "there is nothing to undo");
    await eventually("the end is known", () => registry.byId(container.id)?.state !== "running" || undefined, patience);
    const late = await order({ kind: "stop" });
    assert.equal(late.state, "failed", late.text);
  });
});
