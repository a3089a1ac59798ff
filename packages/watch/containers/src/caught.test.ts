import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "@bulwark/model";
import { Caught, factsAtStart } from "./caught.ts";
import { processFacts } from "./process.ts";

const container = (id: string, runtimeNamespace = "default"): Container => ({
  ...{ id, node: "here", runtime: "containerd", runtimeNamespace, name: id, image: { name: "", digest: null } },
  ...{ labels: {}, pod: null, state: "created", startedAt: null, finishedAt: null, pid: 7, rootfs: null, mounts: [] },
  ...{ capabilities: [], privileged: false, hostNamespaces: [] },
});
const gone = { id: "web", pid: 4_194_000, startTicks: 0 };
const facts = (cgroup: string) => factsAtStart(gone, async () => [cgroup]);

test("of a process that has gone, the cgroup that was given to it by its name is its own; another one may be others'", async () => {
  assert.deepEqual((await facts("/default/web"))?.cgroups, ["/default/web"]);
  assert.equal(await facts("/web/shared"), undefined);
  assert.equal(await facts("/"), undefined);
});

test("a process that is another one by now says nothing", async () => {
  const own = await processFacts(process.pid);
  assert.ok(own);
  const later = { id: "web", pid: process.pid, startTicks: own.startTicks + 1 };
  assert.deepEqual((await factsAtStart(later, async () => ["/default/web"]))?.cgroups, ["/default/web"]);
});

test("one that is over is told as stopped, for ten seconds; what is told anyway is not told twice", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  const caught = new Caught();
  const told = await facts("/default/web");
  assert.ok(told);
  caught.keep(container("web"), told);
  assert.deepEqual(caught.over([]), [{ ...container("web"), state: "stopped", pid: null }]);
  assert.deepEqual(caught.over([container("web")]), []);
  // Of the same name elsewhere: another one.
  assert.equal(caught.over([container("web", "other")]).length, 1);
  assert.equal(caught.factsOf(container("web")), told);
  assert.equal(caught.factsOf(container("web", "other")), undefined);
  t.mock.timers.tick(10_001);
  assert.deepEqual(caught.over([]), []);
  assert.equal(caught.factsOf(container("web")), undefined);
});

test("of more than a thousand the oldest are forgotten", async () => {
  const caught = new Caught();
  const told = await facts("/default/web");
  assert.ok(told);
  for (let n = 0; n < 1001; n++) caught.keep(container(`web-${n}`), told);
  assert.deepEqual([caught.over([]).length, caught.over([])[0]?.id], [1000, "web-1"]);
});
