import type { PolicyRow } from "@bulwark/contract";
import type { PolicySetting, RunningTally } from "@bulwark/model";
import { settingInCluster, type Definition } from "../admission/definitions.ts";
import { imageVerdicts } from "../admission/image-verdicts.ts";
import { preview } from "../admission/preview.ts";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { knownClusters } from "../kubernetes/sources.ts";
import { found } from "./found.ts";

const day = 86_400_000;

export const admissionHandlers: HandlersOf<"admission"> = {
  async listPolicies({ now }, context) {
    const { policies, store, webhook } = context;
    const definitions = await allOf(context);
    const counts = await countsOf(context, now);
    return {
      items: definitions.map((definition) => rowOf(definition, counts, context)),
      webhook: webhook && { url: webhook.url, clusters: webhook.clusters.map(({ name }) => name) },
      problems: [...policies.problems(), ...(webhook?.clusters ?? []).flatMap((cluster) => cluster.problems())],
      looks: (await store.runningPolicies.runs()).map(({ hash: _, ...look }) => look),
      unjudged: await unjudged(context),
    };
  },

  async getPolicy({ params, now }, context) {
    const definition = found(
      (await allOf(context)).find(({ name }) => name === params.id),
      "policy",
    );
    return { ...rowOf(definition, await countsOf(context, now), context), text: definition.text };
  },

  async setPolicy(call, context) {
    const { params, body } = call;
    const { policies, webhook } = context;
    const definition = found((await policies.definitions()).get(params.id), "policy");
    await policies.set(definition.name, body && { ...body, policy: definition.name });
    webhook?.changed();
    await audited(context, call, "policy.set", definition.name, { setting: body });
  },

  async putPolicyDocument(call, context) {
    const { params, body } = call;
    await context.policies.putDocument(params.id, body.text);
    context.webhook?.changed();
    await audited(context, call, "policy.write", params.id);
    const all = await context.policies.definitions();
    const mine = [...all.values()].filter(({ source, file }) => source === "console" && file === params.id);
    return { policies: mine.map(({ name }) => name) };
  },

  async deletePolicyDocument(call, context) {
    const { id } = call.params;
    found((await context.policies.deleteDocument(id)) || undefined, "document");
    context.webhook?.changed();
    await audited(context, call, "policy.delete", id);
  },

  async judgeImage({ params, now }, context) {
    const { policies, store } = context;
    const image = found(await store.images.summary(params.id), "image");
    const inForce = (await allOf(context)).flatMap((definition) => {
      const setting = settingOf(definition, context);
      return setting === null ? [] : [{ definition, setting }];
    });
    return { items: await imageVerdicts(image, inForce, policies.images, now) };
  },

  async listPolicyViolations({ query: { cursor, limit, ...filter } }, { store }) {
    return store.runningPolicies.violations(filter, { cursor, limit });
  },

  async previewPolicies({ body }, context) {
    return preview(body.text, context);
  },

  async listAdmissionDecisions({ query: { cursor, limit, ...filter } }, { store }) {
    return store.admission.list(filter, { cursor, limit });
  },

  async rotateWebhookAuthority(call, context) {
    if (!context.webhook) {
      throw new Refusal("conflict", "the webhook is off", { remedy: "configure server.admission in bulwark.yaml" });
    }
    await context.webhook.rotate();
    await audited(context, call, "admission-authority.rotate", "webhook");
  },
};

/** What is kept of clusters that nobody reads any more. */
async function unjudged(context: Context): Promise<string[]> {
  const own = new Set((await knownClusters(context)).map(({ name }) => name));
  const known = await context.store.kubernetes.clusters();
  return known.map(({ name }) => name).filter((name) => !own.has(name));
}

/** The server's own, then those that only a cluster has. */
async function allOf({ policies, webhook }: Context): Promise<Definition[]> {
  const own = await policies.definitions();
  const others = new Map(
    (webhook?.clusters ?? []).flatMap((cluster) => cluster.definitions()).map((one) => [one.name, one] as const),
  );
  return [...own.values(), ...[...others.values()].filter(({ name }) => !own.has(name))];
}

function settingOf(definition: Definition, { policies }: Context): PolicySetting | null {
  return definition.source === "cluster" ? settingInCluster(definition) : policies.setting(definition.name);
}

interface Counts {
  readonly decisions: ReadonlyMap<string, PolicyRow["decisions"]>;
  readonly running: ReadonlyMap<string, RunningTally>;
}

async function countsOf({ store }: Context, now: number): Promise<Counts> {
  const counts = new Map<string, PolicyRow["decisions"]>();
  for (const { policy, outcome, count } of await store.admission.count(now - day)) {
    counts.set(policy, { ...counts.get(policy), [outcome]: count });
  }
  return { decisions: counts, running: await store.runningPolicies.tallies() };
}

function rowOf(definition: Definition, counts: Counts, context: Context): PolicyRow {
  const { name, title, severity, category, why, remedy, source, file, kind, fixable } = definition;
  const setting = settingOf(definition, context);
  const place = source === "library" ? file.slice(file.indexOf("content/")) : file;
  const decisions = counts.decisions.get(name) ?? {};
  const running = counts.running.get(name) ?? null;
  return { name, kind, title, severity, category, why, remedy, source, place, fixable, setting, decisions, running };
}
