/** A thread that holds all that runs in a cluster against policies: compiling and judging would hold up the server. */
import { parentPort, workerData } from "node:worker_threads";
import type { Json } from "@bulwark/admission";
import { createSurvey, isRunning, resourcesOf, type Guard, type Workload } from "@bulwark/gate";
import type { ImageJudge, Verdict } from "@bulwark/imagepolicy";
import { KubeError, ownerChain, resources, type KubeResource, type Resource } from "@bulwark/kube";
import { errorText, policySetting } from "@bulwark/model";
import { openReader, type ClusterReader } from "../kubernetes/reader.ts";
import { definitionsIn } from "./definitions.ts";
import type { ImageAnswer, ImageQuestion, SurveyJob, SurveyReport } from "./survey.ts";

/** Never read: what is in them is nobody's business, they come and go, or they are about others. */
const unread = new Set(["secrets", "events", "leases", "endpoints", "endpointslices", "componentstatuses", "bindings"]);
/** Owners first: whose pods are whose is known when these come. */
const owners: readonly Resource[] = [resources.replicaSets, resources.jobs];
const parametersLabel = "bulwark.dev/parameters=true";
/** Namespaces, parameters of a kind, and objects that control others and are controlled: what is kept of a cluster. */
const mostKept = 200_000;

async function survey({ source, documents, policies, most }: SurveyJob): Promise<SurveyReport> {
  using kube = openReader(source);
  const begun = performance.now();
  const problems: string[] = [];
  const namespaces = new Map<string, Json>();
  await read(resources.namespaces, undefined, (one) => {
    const { name, labels, annotations } = one.metadata;
    const metadata = { name, ...(labels && { labels }), ...(annotations && { annotations }) };
    if (namespaces.size < mostKept) namespaces.set(name, { apiVersion: "v1", kind: "Namespace", metadata });
  });
  const guards = guardsOf({ documents, policies });
  const catalogue = await catalogueOf(kube, guards, problems);
  const params = new Map<string, KubeResource[]>();
  for (const { apiVersion, kind } of guards.flatMap(({ paramKinds }) => paramKinds)) {
    const key = `${apiVersion} ${kind}`;
    const resource = catalogue.all.find((one) => one.apiVersion === apiVersion && one.kind === kind);
    if (params.has(key)) continue;
    const list: KubeResource[] = [];
    params.set(key, list);
    if (!resource) problems.push(`the cluster has no ${apiVersion} ${kind}`);
    else {
      const isMap = resource.plural === "configmaps";
      await read(resource, isMap ? parametersLabel : undefined, (one) => {
        if (list.length < mostKept) list.push(one);
      });
    }
  }
  const survey_ = createSurvey({
    ...{ guards, most },
    namespaceOf: (name) => namespaces.get(name) ?? null,
    paramsOf: ({ apiVersion, kind }) => params.get(`${apiVersion} ${kind}`) ?? [],
  });
  const controlled = new Map<string, { metadata: Pick<KubeResource["metadata"], "ownerReferences"> }>();
  let objects = 0;
  for (const resource of catalogue.wanted) {
    await read(
      resource,
      undefined,
      (one) => {
        const { uid, ownerReferences } = one.metadata;
        if (ownerReferences && owners.includes(resource) && controlled.size < mostKept) {
          controlled.set(uid, { metadata: { ownerReferences } });
        }
        if (!isRunning(one)) return;
        objects++;
        survey_.judge(one, resource, workloadOf(one, controlled));
      },
      survey_.keepUp,
    );
  }
  const results = await survey_.results();
  return { objects, durationMs: Math.round(performance.now() - begun), results, problems: problems.slice(0, 100) };

  /** Page by page. What cannot be read is a problem of this kind, and no reason not to look at the others. */
  async function read(
    resource: Resource,
    labelSelector: string | undefined,
    each: (object: KubeResource) => void,
    afterPage?: () => Promise<void>,
  ): Promise<void> {
    const { apiVersion, kind } = resource;
    try {
      for await (const page of kube.pages(resource, { labelSelector })) {
        // Objects of a list do not say what they are.
        for (const one of page.items) each({ ...one, apiVersion, kind });
        await afterPage?.();
      }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // Without these nothing is right: the cluster is away, or its server has no right to look.
      if (resource === resources.namespaces || error.code === "unreachable") throw error;
      problems.push(errorText(error));
    }
  }
}

function guardsOf({ documents, policies }: Pick<SurveyJob, "documents" | "policies">): Guard[] {
  const excluded = new Map(policies.map((one) => [one.name, one.excludedNamespaces]));
  return documents.flatMap(({ file, text, source, category }) =>
    definitionsIn(file, text, source, askedOfServer(), category).flatMap((definition) => {
      const { name } = definition;
      const excludedNamespaces = excluded.get(name);
      if (!excludedNamespaces) return [];
      return definition.guards({ ...policySetting.parse({ policy: name, mode: "enforce" }), excludedNamespaces });
    }),
  );
}

/** Verdicts on images are the server's, which keeps them. Each image is asked about once, also when it has no answer. */
function askedOfServer(): ImageJudge {
  const known = new Map<string, Promise<Verdict | null>>();
  return {
    async judge(policy, reference) {
      if (!policy.covers(reference)) return null;
      const key = `${policy.name} ${reference}`;
      const verdict = known.get(key) ?? askServer({ policy: policy.name, reference });
      known.set(key, verdict);
      return verdict;
    },
    known: () => undefined,
    // Nothing is changed here.
    pin: async (reference) => reference,
  };
}

const open = new Map<number, PromiseWithResolvers<Verdict>>();
parentPort?.on("message", ({ id, verdict, reason }: ImageAnswer) => {
  if (verdict) open.get(id)?.resolve(verdict);
  else open.get(id)?.reject(new Error(reason));
  open.delete(id);
});
let asked = 0;

async function askServer(about: { policy: string; reference: string }): Promise<Verdict> {
  const answer = Promise.withResolvers<Verdict>();
  const id = ++asked;
  open.set(id, answer);
  parentPort?.postMessage({ ...about, id } satisfies ImageQuestion);
  return answer.promise;
}

type Rule = ReturnType<typeof resourcesOf>[number];

interface KindCatalogue {
  /** What the policies are about, owners first. */
  readonly wanted: readonly Resource[];
  readonly all: readonly Resource[];
}

async function catalogueOf(kube: ClusterReader, guards: readonly Guard[], problems: string[]): Promise<KindCatalogue> {
  const rules = guards.filter(({ side }) => side === "validate").flatMap((guard) => resourcesOf(guard));
  const usual: readonly Resource[] = Object.values(resources);
  const isUsual = ({ group, plural }: Rule): boolean =>
    usual.some((one) => groupOf(one) === group && one.plural === plural);
  const paramKinds = guards.flatMap((guard) => guard.paramKinds);
  let all = usual;
  if (!rules.every(isUsual) || paramKinds.some((kind) => kind.kind !== "ConfigMap")) {
    const { resources: found, failed } = await kube.discover();
    problems.push(...failed.map((text) => `kinds that could not be asked for: ${text}`));
    all = [...usual, ...found.filter((one) => !usual.some((known) => isSame(known, one)))];
  }
  if (kube.isPartial) problems.push(...unknownKinds(rules, all));
  const wanted = all
    .filter(({ plural }) => !unread.has(plural))
    .flatMap((one) =>
      inVersions(
        one,
        rules.filter((rule) => isAbout(rule, one)),
      ),
    );
  if (rules.some(({ plural }) => plural === "secrets")) problems.push("secrets are not read, and not judged");
  const first = wanted.includes(resources.pods) ? owners : [];
  return { all, wanted: [...new Set([...first, ...wanted])] };
}

/** What policies are about, and nothing can be said of here. */
function unknownKinds(rules: readonly Rule[], all: readonly Resource[]): string[] {
  const unknown = rules.filter((rule) => rule.plural === "*" || !all.some((one) => isAbout(rule, one)));
  const names = new Set(
    unknown.map(({ group, plural }) => (plural === "*" ? "other kinds" : [plural, group].join("."))),
  );
  return [...names].map((name) => `${name.replace(/\.$/, "")}: the cluster's collector does not tell of them`);
}

function isAbout({ group, plural }: Rule, resource: Resource): boolean {
  return (group === "*" || group === groupOf(resource)) && (plural === "*" || plural === resource.plural);
}

/** In the versions that the rules name; in the one that the server prefers where they take that. */
function inVersions(resource: Resource, rules: readonly Rule[]): Resource[] {
  const own = resource.apiVersion.split("/").at(-1) ?? "";
  const versions = new Set(
    rules.map(({ versions: named }) => (named.includes("*") || named.includes(own) ? own : (named[0] ?? own))),
  );
  const group = groupOf(resource);
  return [...versions].map((version) =>
    version === own ? resource : { ...resource, apiVersion: group === "" ? version : `${group}/${version}` },
  );
}

function isSame(a: Resource, b: Resource): boolean {
  return groupOf(a) === groupOf(b) && a.plural === b.plural;
}

function groupOf({ apiVersion }: Resource): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function workloadOf(
  object: KubeResource,
  controlled: ReadonlyMap<string, { metadata: Pick<KubeResource["metadata"], "ownerReferences"> }>,
): Workload {
  const root = ownerChain(object, (uid) => controlled.get(uid)).at(-1);
  const { kind = "", metadata } = object;
  const namespace = metadata.namespace ?? "";
  return root ? { kind: root.kind, namespace, name: root.name } : { kind, namespace, name: metadata.name };
}

parentPort?.postMessage({ report: await survey(workerData as SurveyJob) });
parentPort?.close();
