/** What a person orders in the console happens in the container, and nothing that nobody allowed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ApiError, type Client } from "@bulwark/contract";
import type { Action, ActionRecord, ResponsePolicy } from "@bulwark/model";
import { eventually, missing, run, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { openBrowser } from "./browser.ts";
import { bulwark, startProduct, type Product } from "./product.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");
const patience = 60_000;

const isProblem = (code: string) => (error: unknown) => error instanceof ApiError && error.problem.code === code;

describe("what is done about an alert", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let container: RuncContainer;
  let product: Product;
  let api: Client;

  before(async () => {
    const root = mkdtempSync(join(tmpdir(), "bulwark-response-"));
    stack.defer(() => rmSync(root, { recursive: true, force: true }));
    container = stack.use(runWithRunc({ overlay: true, root, id: `response-${process.pid}` }));
    container.exec("cp", "/bin/busybox", "/tmp/busybox");
    const runtimes = `containerd: [], docker: [], cri-o: [], podman: [], runc: ["${root}"], crun: []`;
    product = stack.use(await startProduct({ config: `agent:\n  node: node-r\n  runtimes: { ${runtimes} }\n` }));
    api = await product.api();
    await eventually("the container is known", async () => (await listed()) || undefined, patience);
    await eventually(
      "the sensor runs",
      async () => {
        const { components } = await api.getHealth();
        return (
          components.some(({ id, state }) => id === "sensor" && state !== "off" && state !== "failed") || undefined
        );
      },
      patience,
    );
  });
  after(async () => stack.disposeAsync());

  async function listed(): Promise<boolean> {
    const { items } = await api.listContainers({ query: { state: "running" } });
    return items.some(({ id }) => id === container.id);
  }
  async function order(action: Action, dryRun = false): Promise<ActionRecord> {
    const body = { container: container.id, alert: null, action, reason: "a test", dryRun };
    const { id } = await api.orderAction({ body });
    return answered(id, ({ state }) => state !== "ordered");
  }
  async function answered(id: string, is: (record: ActionRecord) => boolean): Promise<ActionRecord> {
    const ask = async (): Promise<ActionRecord | undefined> => {
      const record = await api.getAction({ params: { id } });
      return is(record) ? record : undefined;
    };
    return eventually("the agent answers", ask, patience);
  }
  async function allow(change: Partial<Omit<ResponsePolicy, "id">>): Promise<void> {
    const scope = { namespaces: [], images: [], containers: [container.id], labels: "" };
    const policy = { name: "test", scope, mode: "enforce", actions: [], system: false, automatic: null } as const;
    await api.setResponsePolicy({ params: { id: "test" }, body: { ...policy, actions: [], ...change } });
  }
  const runs = (path: string): boolean => {
    try {
      return container.exec(path, "echo", "ran").trim() === "ran";
    } catch {
      return false;
    }
  };
  const dropped = (folder: string): string => {
    container.exec("sh", "-c", `mkdir -p /tmp/${folder}; cp /bin/busybox /tmp/${folder}/`);
    return `/tmp/${folder}/busybox`;
  };
  const deny: Action = { kind: "deny-exec", limitMs: 600_000, paths: ["/tmp/busybox"], origins: [], onFailure: "open" };

  test("nothing that nobody allowed, though it can be tried", async () => {
    const tried = await order(deny, true);
    assert.deepEqual([tried.state, tried.text], ["dry-run", "would refuse to execute /tmp/busybox"]);
    const refused = await order(deny);
    assert.equal(refused.state, "refused");
    assert.match(refused.remedy, /policy/);
    assert.ok(runs("/tmp/busybox"));
  });

  test("what a policy allows is prevented, counted, on record, and undone", async () => {
    await allow({ actions: ["deny-exec", "quarantine", "freeze"] });
    // The agent has the policy within seconds, and says so by its answer.
    const done = await eventually(
      "it is allowed",
      async () => {
        const record = await order(deny);
        return record.state === "done" ? record : undefined;
      },
      patience,
    );
    assert.ok(done.until !== null && done.until > Date.now());
    assert.equal(runs("/tmp/busybox"), false);
    assert.ok(runs("/bin/busybox"));
    const counted = await answered(done.id, ({ counts }) => counts !== null && counts.prevented > 0);
    assert.equal(counted.counts?.missed, 0);
    await api.undoAction({ params: { id: done.id } });
    await answered(done.id, ({ state }) => state === "undone");
    assert.ok(runs("/tmp/busybox"));
    const { items } = await api.listAudit({ query: { limit: 100 } });
    for (const action of ["action.order", "action.done", "action.undo", "action.undone"]) {
      assert.ok(
        items.some((entry) => entry.action === action && entry.target === container.id),
        action,
      );
    }
    await assert.rejects(api.undoAction({ params: { id: done.id } }), isProblem("conflict"));
  });

  test("what is to hold whatever happens holds when the agent is killed; the next one takes it over, and can undo it", async () => {
    const path = dropped("closed");
    const done = await order({ ...deny, paths: [path], onFailure: "closed" });
    assert.equal(done.state, "done", done.text);
    const ran: number[] = [];
    const trying = setInterval(() => runs(path) && ran.push(Date.now()), 50);
    try {
      process.kill(agentOf(product), "SIGKILL");
      const again = await answered(done.id, ({ time, state }) => state === "done" && time > done.time + 1);
      assert.ok((again.until ?? 0) <= (done.until ?? 0) + 1000, "no longer than it was ordered for");
      // The process that enforced for the one before has ended, and this is prevented by the next.
      await answered(done.id, ({ counts }) => (counts?.prevented ?? 0) > 0);
    } finally {
      clearInterval(trying);
    }
    assert.deepEqual(ran, []);
    await api.undoAction({ params: { id: done.id } });
    await answered(done.id, ({ state }) => state === "undone");
    assert.ok(runs(path));
  });

  test("the sensor that somebody ends is an alert of its node, and watches again", async () => {
    process.kill(childOf(agentOf(product), "bulwark-sensor"), "SIGKILL");
    const alert = await eventually(
      "it is an alert",
      async () => (await api.listAlerts({ query: { rule: "sensor-ended" } })).items[0],
      patience,
    );
    assert.deepEqual([alert.node, alert.attribution, alert.container], ["node-r", "host", null]);
    assert.match(alert.evidence.find(({ key }) => key === "reason")?.value ?? "", /SIGKILL/);
    let turn = 0;
    await eventually(
      "it sees what the container does",
      async () => {
        container.exec("echo", `again-${turn++}`);
        const { items } = await api.listEvents({ query: { q: "again-", kind: "exec" } });
        return items.length > 0 || undefined;
      },
      patience,
    );
  });

  test("a policy that acts by itself does so when its rule alerts, and no more often than it may", async () => {
    await allow({ automatic: { rules: ["drift"], action: deny, perHour: 1 } });
    let tries = 0;
    const acted = await eventually(
      "the policy acts",
      async () => {
        // Each is a program of its own, and so an alert; the first after the policy has arrived is answered.
        runs(dropped(`try-${++tries}`));
        const { items } = await api.listActions({ query: { container: container.id, limit: 50 } });
        return items.find(({ by, state }) => by === "policy:test" && state === "done");
      },
      patience,
    );
    assert.ok(acted.alert);
    assert.equal(runs("/tmp/busybox"), false);
    await api.undoAction({ params: { id: acted.id } });
    await answered(acted.id, ({ state }) => state === "undone");
    await api.deleteResponsePolicy({ params: { id: "test" } });
  });

  test("an exception keeps alerts away until it expires or is deleted", async () => {
    const scope = { namespaces: [], images: [], containers: [container.id], labels: "" };
    const expiresAt = Date.now() + 3_600_000;
    const rule = "drift";
    const body = { rule, scope, executable: "/tmp/expected/*", reason: "a test", expiresAt };
    const exception = await api.createException({ body });
    const alertsOf = async (): Promise<number> => {
      const { items } = await api.listAlerts({ query: { rule, container: container.id, limit: 500 } });
      return items.length;
    };
    await eventually(
      "the agent has it",
      async () => {
        const { components } = await api.getHealth();
        const settings = components.find(({ id }) => id === "settings");
        return settings?.counters["exceptions"] === 1 || undefined;
      },
      patience,
    );
    const before = await alertsOf();
    assert.ok(runs(dropped("expected")));
    assert.ok(runs(dropped("other")), "another program alerts still");
    await eventually("the other alerts", async () => (await alertsOf()) > before || undefined, patience);
    assert.equal(await alertsOf(), before + 1);
    await api.deleteException({ params: { id: exception.id } });
  });

  test(
    "in the console: an alert, what could be done, done, undone, and no more such alerts",
    { skip: missing("chromium") },
    async () => {
      const path = dropped("shown");
      assert.ok(runs(path));
      const alert = await eventually(
        "its alert",
        async () => {
          const { items } = await api.listAlerts({ query: { rule: "drift", container: container.id, limit: 500 } });
          return items.find(({ process: its }) => its?.executable === path);
        },
        patience,
      );
      await using browser = await openBrowser({ locale: "en-US" });
      const { page } = browser;
      page.setDefaultTimeout(patience);
      await page.goto(run(bulwark, ["login", "--data", product.data]).trim());
      await page.waitForURL((url) => !url.pathname.startsWith("/login"));
      await page.goto(`${product.url}/alerts?id=${encodeURIComponent(alert.id)}`);
      const panel = page.getByRole("complementary");
      await panel.getByRole("button", { name: "Act on it…" }).click();

      const dialog = page.getByRole("dialog");
      const [attempt, order] = [
        dialog.getByRole("button", { name: "What would it do?" }),
        dialog.getByRole("button", { name: "Do it" }),
      ];
      const said = dialog.locator("output");
      await dialog.getByLabel("Action").selectOption({ label: "Forbid programs" });
      assert.equal(await dialog.getByLabel("Programs").inputValue(), path);
      assert.ok(await order.isDisabled(), "what was not tried cannot be ordered");
      await attempt.click();
      await said.getByText(`would refuse to execute ${path}`).waitFor();
      assert.ok(runs(path), "a try does nothing");
      await order.click();
      await said.getByText(/nobody allowed this/).waitFor();
      assert.ok(runs(path));
      await dialog.getByRole("button", { name: "Allow it for this container" }).click();
      await said.getByText(/nobody allowed this/).waitFor({ state: "detached" });
      const done = said.getByText(`refuses to execute ${path}`);
      // The agent hears of it within seconds.
      for (const until = Date.now() + patience; !(await done.isVisible()) && Date.now() < until;) {
        await attempt.click();
        await said.getByText(`would refuse to execute ${path}`).waitFor();
        await order.click();
        await done.or(said.getByText(/nobody allowed this/)).waitFor();
      }
      await done.waitFor();
      assert.equal(runs(path), false);
      await dialog.getByRole("button", { name: "Close" }).last().click();

      const last = panel.getByRole("listitem").filter({ hasText: "Forbid programs" }).first();
      await last.getByText("Done", { exact: true }).waitFor();
      await last.getByRole("button", { name: "Undo" }).click();
      await last.getByText("Undone", { exact: true }).waitFor();
      assert.ok(runs(path));
      const { items } = await api.listAudit({ query: { limit: 50 } });
      const ofThis = items.filter(({ target }) => target === container.id).map(({ action }) => action);
      for (const action of ["action.refused", "action.order", "action.done", "action.undo", "action.undone"]) {
        assert.ok(ofThis.includes(action), `${action} is not among ${ofThis.join()}`);
      }

      await panel.getByRole("button", { name: "Exception…" }).click();
      await page.getByRole("button", { name: "Make the exception" }).click();
      await dialog.waitFor({ state: "detached" });
      const { exceptions } = await api.getAgentSettings();
      const made = exceptions.find(({ executable }) => executable === path);
      assert.deepEqual([made?.rule, made?.scope.containers], ["drift", [alert.container?.name]]);
      const days = ((made?.expiresAt ?? 0) - Date.now()) / 86_400_000;
      assert.ok(days > 6.9 && days <= 7, `${days} days`);
      await eventually(
        "it is closed",
        async () => (await api.getAlert({ params: { id: alert.id } })).state === "closed" || undefined,
        patience,
      );
    },
  );

  test("a rule of Bulwark's own is shown as it is written", async () => {
    const { rule } = await api.getRuleText({ params: { id: "release-agent-of-a-cgroup-written" }, query: {} });
    assert.match(rule?.text ?? "", /^- rule: /);
    assert.ok(rule?.file.endsWith(".yaml") && rule.line > 0);
    // A detector is code.
    assert.deepEqual(await api.getRuleText({ params: { id: "reverse-shell" }, query: {} }), { rule: null });
  });
});

/** The process that `bulwark up` has as its agent. */
function agentOf({ process: { pid } }: Product): number {
  return childOf(pid ?? 0, "agent");
}

/** The one whose command line has that word, or a program of that name. */
function childOf(pid: number, word: string): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, "utf8")
      .split("\0")
      .some((argument) => basename(argument) === word),
  );
  assert.ok(found, children.join());
  return Number(found);
}
