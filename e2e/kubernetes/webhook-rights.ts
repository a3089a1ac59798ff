/** What the admission webhook says where the chart gave it less than it needs. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";
import { before, test } from "node:test";
import { requestFor, type AdmissionRequest } from "@bulwark/admission";
import type { AdmissionResponse } from "@bulwark/gate";
import { resources } from "@bulwark/kube";
import { policySetting } from "@bulwark/model";
import { eventually, freePort } from "@bulwark/testkit";
import { hostAddress } from "../cluster/network.ts";
import { chartRights, createAccount, isOf, lacks, namespace, refused, type Rights } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";
import { says, serve } from "./serving.ts";

export function webhookTests(there: ApiServer): void {
  const policy = "no-host-network";
  let server: Rights;
  let webhook: Rights;
  let asServer: string;
  let asWebhook: string;
  /** The server's account has both roles. */
  const both = (rights: Rights): Rights => ({ ...server, cluster: [...server.cluster, ...rights.cluster] });

  before(async () => {
    server = await chartRights("server");
    asServer = await createAccount(there.cluster, there.kube, "bulwark-server", server);
    webhook = await chartRights("admission", "admission.enabled=true");
    asWebhook = await createAccount(there.cluster, there.kube, "webhook", both(webhook));
  });

  async function guarded(clusters: { name: string; kubeconfig: string }[]) {
    const address = hostAddress(there.cluster.network);
    const url = `https://${address}:${await freePort(address)}`;
    const admission = { address, port: Number(new URL(url).port), url, namespace };
    const product = await serve(asServer, clusters, { admission });
    const { policy: _, ...enforced } = policySetting.parse({ policy, mode: "enforce", failurePolicy: "Fail" });
    const set = async (body: typeof enforced | null): Promise<unknown> =>
      product.client.setPolicy({ params: { id: policy }, body });
    const [enforce, stop] = [async () => set(enforced), async () => set(null)];
    /** As the API server asks, of a namespace that nobody has heard of. */
    const ask = async (name: string): Promise<AdmissionResponse> => {
      const annotations = {
        "bulwark.dev/break-glass": "the shop is down",
        "bulwark.dev/break-glass-until": new Date(Date.now() + 60_000).toISOString(),
      };
      const metadata = { name: "web", namespace: "unheard-of", annotations };
      const spec = { hostNetwork: true, containers: [{ name: "web", image: "registry.test/web:1" }] };
      const request = { ...requestFor({ apiVersion: "v1", kind: "Pod", metadata, spec }), uid: "1" };
      return review(`${url}/validate/${name}/fail/0`, request);
    };
    return { ...product, enforce, stop, ask };
  }

  const isInForce = async (): Promise<unknown> =>
    eventually("it is in force", async () => there.kube.get(resources.validatingWebhooks, "bulwark"), 60_000);

  test("with all of them its policy is in force, and goes again; without a verb it is said which", async () => {
    const [make, ...others] = lacks(webhook).filter(isOf("validatingwebhookconfigurations")).toReversed();
    assert.ok(make);
    assert.deepEqual(
      [make.verb, ...others.map(({ verb }) => verb)],
      ["create", "delete", "patch", "get"],
      "each is shown below",
    );
    {
      const kubeconfig = await createAccount(there.cluster, there.kube, "webhook-less-create", both(make.rights));
      await using product = await guarded([{ name: "less-create", kubeconfig }]);
      await product.enforce();
      await says(
        product,
        "admission:less-create",
        ({ state, reason }) =>
          state === "failed" && reason.includes(refused("create", "validatingwebhookconfigurations")),
      );
    }
    {
      // Alone: where another takes it away first, there is nothing to be refused.
      const remove = others.find(({ verb }) => verb === "delete");
      assert.ok(remove);
      const kubeconfig = await createAccount(there.cluster, there.kube, "webhook-less-delete", both(remove.rights));
      await using product = await guarded([{ name: "less-delete", kubeconfig }]);
      await product.enforce();
      await isInForce();
      const { allowed, status } = await product.ask("less-delete");
      assert.equal(allowed, false);
      assert.match(status?.message ?? "", /may not bypass/);
      await product.stop();
      await says(
        product,
        "admission:less-delete",
        ({ state, reason }) => state !== "ok" && reason.includes(refused("delete", "validatingwebhookconfigurations")),
      );
    }
    await there.kube.delete(resources.validatingWebhooks, "bulwark");
    const less = await Promise.all(
      lacks(webhook)
        .filter(({ verb }) => verb !== "delete")
        .filter(({ verb, resources: [first] }) => verb !== "create" || first === "subjectaccessreviews")
        .map(async ({ verb, resources: [lost = ""], rights }) => {
          const name = `less-${verb}-${lost}`.slice(0, 60);
          const kubeconfig = await createAccount(there.cluster, there.kube, `webhook-${name}`, both(rights));
          return { name, kubeconfig, verb, lost };
        }),
    );
    await using product = await guarded([
      { name: "all", kubeconfig: asWebhook },
      ...less.map(({ name, kubeconfig }) => ({ name, kubeconfig })),
    ]);
    const missed = async (verb: string, lost: string): Promise<void> =>
      says(
        product,
        `admission:less-${verb}-${lost}`,
        ({ state, reason }) => state !== "ok" && reason.includes(refused(verb, lost)),
      );
    await product.enforce();
    await isInForce();
    for (const { verb, lost, name } of less) {
      const { allowed, status } = await product.ask(name);
      assert.equal(allowed, false);
      const isAsked = lost !== "subjectaccessreviews";
      assert.match(status?.message ?? "", isAsked ? /may not bypass/ : new RegExp(refused(verb, lost)));
      if (verb === "patch" || lost === "configmaps" || lost === "namespaces") await missed(verb, lost);
    }
    await product.stop();
    await missed("get", "validatingwebhookconfigurations");
    await eventually(
      "it is gone",
      async () =>
        (await there.kube.list(resources.validatingWebhooks)).items.every(
          ({ metadata }) => metadata.name !== "bulwark",
        ) || undefined,
      60_000,
    );
    await says(product, "admission:all", ({ state }) => state === "ok");
  });
}

/** What a webhook says to an API server. */
async function review(url: string, request: AdmissionRequest): Promise<AdmissionResponse> {
  const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  // Its authority is in the cluster's configuration, and not what is looked at here.
  const call = httpsRequest(url, { method: "POST", agent: false, rejectUnauthorized: false });
  call.setHeader("content-type", "application/json").end(body);
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  return ((await json(answer)) as { response: AdmissionResponse }).response;
}
