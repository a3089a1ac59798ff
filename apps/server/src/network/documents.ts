import { randomUUID } from "node:crypto";
import { KubeError, type Kube } from "@bulwark/kube";
import type { NetworkPolicyDocument, NetworkPolicyRef } from "@bulwark/model";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import { openCluster, unreachable } from "./cluster-policies.ts";
import { makeChanges, planChanges, tryChanges, undoChanges, type Change } from "./publish.ts";
import { reasonOf, refOf, type PolicyObject } from "./policy-kinds.ts";
import { inNetworkThread } from "./thread.ts";

export interface Wish {
  readonly cluster: string;
  readonly text: string;
  readonly remove: readonly NetworkPolicyRef[];
  readonly mode: NetworkPolicyDocument["mode"];
  readonly confirmMinutes: number;
  readonly reason: string;
}

/** The policies of a text, or a refusal that says what is wrong with the first that an API server would not take. */
async function policiesIn(text: string): Promise<PolicyObject[]> {
  if (text.trim() === "") return [];
  const { objects, problems } = await inNetworkThread({ kind: "read", text });
  const wrong = problems.find(({ severity }) => severity === "error");
  if (wrong) throw new Refusal("invalid", wrong.text, { remedy: "mend the policy" });
  return objects;
}

/**
 * Publishes policies: to be observed, or into the cluster. `noted` is called with what will be done before anything is
 * changed: what nobody can account for is not done.
 */
export async function publish(
  wish: Wish,
  by: string,
  now: number,
  context: Context,
  noted: (document: NetworkPolicyDocument) => Promise<void>,
): Promise<NetworkPolicyDocument> {
  const objects = await policiesIn(wish.text);
  if (objects.length === 0 && wish.remove.length === 0) throw new Refusal("invalid", "there is no policy in it");
  const { cluster, text, mode, reason } = wish;
  const document: NetworkPolicyDocument = {
    ...{ id: randomUUID(), cluster, mode, state: "observing", text, reason, policies: objects.map(refOf) },
    ...{ removed: [...wish.remove], published: { time: now, by }, confirmBefore: null, confirmed: null, undone: null },
    ...{ problem: "", remedy: "" },
  };
  if (mode === "observe") {
    await noted(document);
    await context.store.networkDocuments.add(document, "[]");
    return document;
  }
  using kube = open(cluster, context);
  if (!kube) return handOut(document, unreachable(cluster), context, noted);
  let changes: Change[];
  try {
    changes = await planChanges(kube, objects, wish.remove);
    await tryChanges(kube, changes);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "forbidden") return handOut(document, reasonOf(error), context, noted);
    throw refused(error);
  }
  const confirmBefore = now + wish.confirmMinutes * 60_000;
  return enforce({ ...document, state: "published", confirmBefore }, changes, kube, context, noted);
}

/** It is on record before the first change: where this process dies in the middle, the next one undoes it. */
async function enforce(
  document: NetworkPolicyDocument,
  changes: readonly Change[],
  kube: Kube,
  context: Context,
  noted: (document: NetworkPolicyDocument) => Promise<void>,
): Promise<NetworkPolicyDocument> {
  await noted(document);
  await context.store.networkDocuments.add(document, JSON.stringify(changes));
  try {
    await makeChanges(kube, changes);
  } catch (error) {
    await undo(document, "server", context);
    throw error instanceof KubeError ? refused(error) : error;
  } finally {
    context.clusterPolicies.forget(document.cluster);
  }
  return document;
}

async function handOut(
  document: NetworkPolicyDocument,
  { reason, remedy }: { reason: string; remedy: string },
  { store }: Context,
  noted: (document: NetworkPolicyDocument) => Promise<void>,
): Promise<NetworkPolicyDocument> {
  const handed = { ...document, state: "handed-out" as const, problem: reason, remedy };
  await noted(handed);
  await store.networkDocuments.add(handed, "[]");
  return handed;
}

/** Whoever is first decides: it is confirmed, or undone. */
export async function confirm(
  document: NetworkPolicyDocument,
  by: string,
  now: number,
  { store }: Context,
): Promise<NetworkPolicyDocument> {
  if (document.state !== "published") {
    throw new Refusal("conflict", `it is not waiting to be confirmed: it is ${document.state}`);
  }
  const confirmed = { ...document, state: "confirmed" as const, confirmBefore: null, confirmed: { time: now, by } };
  if (await store.networkDocuments.change(confirmed, "published")) return confirmed;
  throw new Refusal("conflict", "it is being undone", { remedy: "publish it again" });
}

/**
 * Puts the cluster back. It is `stuck` until that is done: whoever dies in between, or cannot reach the cluster, leaves it to
 * the next who looks for what is due.
 */
export async function undo(
  document: NetworkPolicyDocument,
  by: string,
  context: Context,
): Promise<NetworkPolicyDocument> {
  const { networkDocuments } = context.store;
  const now = Date.now();
  const done = { ...document, state: "undone" as const, confirmBefore: null, undone: { time: now, by } };
  if (document.state === "undone") return document;
  if (document.state === "observing" || document.state === "handed-out") {
    await networkDocuments.change(done, document.state);
    return done;
  }
  const claimed = { ...document, state: "stuck" as const, confirmBefore: now };
  if (document.state !== "stuck" && !(await networkDocuments.change(claimed, document.state))) {
    return (await networkDocuments.get(document.id)) ?? document;
  }
  try {
    using kube = open(document.cluster, context);
    if (!kube) throw new Error(unreachable(document.cluster).reason);
    const changes = JSON.parse((await networkDocuments.before(document.id)) ?? "[]") as Change[];
    const foreign = await undoChanges(kube, changes);
    const problem = foreign.length === 0 ? "" : `somebody else has changed meanwhile: ${foreign.join(", ")}`;
    const remedy = foreign.length === 0 ? "" : "these were left as they are: see whether they are as you want them";
    const undone = { ...done, problem: problem.slice(0, 2048), remedy };
    await networkDocuments.change(undone, "stuck");
    return undone;
  } catch (error) {
    const { reason, remedy } = reasonOf(error);
    const stuck = { ...claimed, problem: reason, remedy: remedy || "it is tried again by itself" };
    await networkDocuments.change(stuck, "stuck");
    return stuck;
  } finally {
    context.clusterPolicies.forget(document.cluster);
  }
}

function open(cluster: string, context: Context): Kube | undefined {
  try {
    return openCluster(cluster, context);
  } catch (error) {
    throw error instanceof KubeError ? refused(error) : error;
  }
}

function refused(error: KubeError): Refusal {
  const { reason, remedy } = reasonOf(error);
  const wrong = ["invalid", "conflict", "not-found"].includes(error.code);
  return new Refusal(wrong ? "invalid" : "unavailable", reason, remedy === "" ? {} : { remedy });
}
