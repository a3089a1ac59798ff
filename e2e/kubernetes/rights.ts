/** What server and agent say where the chart gave them less than they need. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { connect, resources } from "@bulwark/kube";
import { createLogger } from "@bulwark/telemetry";
import { eventually } from "@bulwark/testkit";
import { PodBook } from "../../apps/agent/src/pods.ts";
import { ticketFrom } from "../../apps/agent/src/ticket.ts";
import { startSender } from "../replicas.ts";
import { chartRights, createAccount, isOf, lacks, namespace, refused, tokenOf, type Rights } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";
import { says, serve } from "./serving.ts";

export function rightsTests(there: ApiServer): void {
  const log = createLogger("test");
  log.level = "silent";
  let server: Rights;
  let agent: Rights;
  /** Kubeconfigs of the accounts that have all of it. */
  let asServer: string;
  let asAgent: string;

  before(async () => {
    server = await chartRights("server");
    agent = await chartRights("agent");
    asServer = await createAccount(there.cluster, there.kube, "bulwark-server", server);
    asAgent = await createAccount(there.cluster, there.kube, "bulwark-agent", agent);
  });

  /** The agent's way to the server, as a pod on the node joins. */
  async function sender(name: string, account: string, servers: string[]) {
    const boundObjectRef = { kind: "Pod", apiVersion: "v1", name: "agent" };
    const tokenFile = join(there.cluster.folder, "pod-token");
    writeFileSync(tokenFile, await tokenOf(there.kube, "bulwark-agent", { audiences: ["bulwark"], boundObjectRef }));
    const serviceAccount = { tokenFile, configMap: `${namespace}/bulwark-authority` };
    // As in a pod, its account is where the client looks for it by itself.
    process.env["KUBECONFIG"] = account;
    const token = ticketFrom({ serviceAccount } as Parameters<typeof ticketFrom>[0], async () => undefined);
    return startSender({ node: "node-1", servers, token, folder: join(there.cluster.folder, name) });
  }

  test("with all of them all is well; without a verb of a rule, the server says which it lacks", async () => {
    // This cluster has no policies of these kinds: whoever may not read them misses nothing.
    const absent = isOf("clusternetworkpolicies", "ciliumnetworkpolicies");
    const clusters = lacks(server).filter((lack) => !isOf("tokenreviews", "configmaps")(lack) && !absent(lack));
    const less = await Promise.all(
      clusters.map(async ({ rights }, index) => ({
        name: `less-${index}`,
        kubeconfig: await createAccount(there.cluster, there.kube, `server-less-${index}`, rights),
      })),
    );
    await using product = await serve(asServer, [{ name: "all", kubeconfig: asServer }, ...less]);
    await says(product, "service-accounts", ({ state }) => state === "ok");
    await says(product, "cluster:all", ({ state }) => state === "ok");
    for (const [index, { verb, resources: lost }] of clusters.entries()) {
      await says(
        product,
        `cluster:less-${index}`,
        ({ state, reason }) => state !== "ok" && lost.every((one) => reason.includes(refused(verb, one))),
      );
    }
  });

  test("without a right that joining takes, no node joins, and it is said where and why", async () => {
    const [reviews, publishing, ...others] = lacks(server).filter(isOf("tokenreviews", "configmaps"));
    assert.ok(reviews && publishing);
    assert.deepEqual([reviews.resources, publishing.resources, others], [["tokenreviews"], ["configmaps"], []]);
    {
      // As before its first start: nobody has said who it is.
      await there.kube.patch(resources.configMaps, "bulwark-authority", { data: null }, { namespace });
      await using product = await serve(
        await createAccount(there.cluster, there.kube, "server-mute", publishing.rights),
      );
      await says(
        product,
        "service-accounts",
        ({ state, reason }) => state === "failed" && reason.includes(refused("patch", "configmaps")),
      );
      await using node = await sender("mute", asAgent, [product.agentsUrl]);
      await node.send(1);
      await eventually(
        "the node says so",
        () => /has not written yet who it is/.test(node.uplink.state.reason) || undefined,
        30_000,
      );
    }
    await using product = await serve(await createAccount(there.cluster, there.kube, "server-blind", reviews.rights));
    await says(product, "service-accounts", ({ state }) => state === "ok");
    await using node = await sender("blind", asAgent, [product.agentsUrl]);
    await node.send(1);
    await says(
      product,
      "service-accounts",
      ({ state, reason }) => state === "failed" && reason.includes(refused("create", "tokenreviews")),
    );
    assert.match(node.uplink.state.reason, /could not be asked whose token it is/);
  });

  test("the agent: with all rights it joins, and knows pods and their workloads; without one it says which", async () => {
    await using product = await serve(asServer);
    const parts = lacks(agent);
    const [joining, ...more] = parts.filter(isOf("configmaps"));
    assert.ok(joining);
    assert.deepEqual(more, []);
    {
      await using node = await sender(
        "deaf",
        await createAccount(there.cluster, there.kube, "agent-deaf", joining.rights),
        [product.agentsUrl],
      );
      await node.send(1);
      await eventually(
        "it says so",
        () => node.uplink.state.reason.includes(refused("get", "configmaps")) || undefined,
        30_000,
      );
      assert.equal(node.uplink.state.state, "refused");
    }
    {
      await using node = await sender("node", asAgent, [product.agentsUrl]);
      await node.send(10);
      await eventually("all of it arrives", () => node.waiting() === 0 || undefined, 30_000);
    }
    // Another control plane in the place of the first, which nobody knows: the node joins it by itself.
    await using next = await serve(asServer);
    await using again = await sender("node", asAgent, [next.agentsUrl]);
    await again.send(10);
    await eventually("it has joined the new one", () => again.waiting() === 0 || undefined, 30_000);

    const book = (kubeconfig: string): PodBook =>
      new PodBook({ node: "node-1", connect: () => connect({ kubeconfig }), log, changed: () => undefined });
    await using whole = book(asAgent);
    await eventually("all is well", () => whole.health().state === "ok" || undefined, 30_000);
    for (const [index, { verb, resources: lost, rights }] of parts.filter((lack) => lack !== joining).entries()) {
      await using less = book(await createAccount(there.cluster, there.kube, `agent-less-${index}`, rights));
      await eventually(
        `it says that it may not ${verb} ${lost.join()}`,
        () => {
          const { state, reason } = less.health();
          if (state !== "ok" && lost.every((one) => reason.includes(refused(verb, one)))) return true;
          throw new Error(`${state}: ${reason}`);
        },
        30_000,
      );
    }
    assert.equal(whole.health().state, "ok", whole.health().reason);
  });
}
