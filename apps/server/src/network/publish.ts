import { KubeError, type Kube } from "@bulwark/kube";
import type { NetworkPolicyRef } from "@bulwark/model";
import { kindOf, plainPolicy, refOf, type PolicyObject } from "./policy-kinds.ts";

/** What a cluster had of one name before, and what was made of it; null: nothing. */
export interface Change {
  readonly ref: NetworkPolicyRef;
  readonly before: PolicyObject | null;
  readonly after: PolicyObject | null;
}

/** What is to be done to a cluster that has the policies of a document, and lacks those that it removes. */
export async function planChanges(
  kube: Kube,
  policies: readonly PolicyObject[],
  remove: readonly NetworkPolicyRef[],
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const object of policies) {
    const ref = refOf(object);
    changes.push({ ref, before: await find(kube, ref), after: object });
  }
  for (const ref of remove) {
    const before = await find(kube, ref);
    if (before) changes.push({ ref, before, after: null });
  }
  return changes;
}

/** Asks the API server whether it would take them; nothing is changed. Raises `KubeError`. */
export async function tryChanges(kube: Kube, changes: readonly Change[]): Promise<void> {
  for (const change of changes) if (change.after) await put(kube, change.ref, change.after, true);
}

/** Makes them, one after the other. Raises `KubeError`; those before it are made by then. */
export async function makeChanges(kube: Kube, changes: readonly Change[]): Promise<void> {
  for (const { ref, after } of changes) await make(kube, ref, after);
}

/**
 * Puts back what was there before, the last change first. What somebody else has changed meanwhile is theirs: it is left as
 * it is, and named.
 */
export async function undoChanges(kube: Kube, changes: readonly Change[]): Promise<string[]> {
  const foreign: string[] = [];
  for (const { ref, before, after } of changes.toReversed()) {
    const now = await find(kube, ref);
    if (isSame(now, before)) continue;
    if (isSame(now, after)) await make(kube, ref, before);
    else foreign.push(`${ref.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name}`);
  }
  return foreign;
}

async function make(kube: Kube, ref: NetworkPolicyRef, object: PolicyObject | null): Promise<void> {
  if (object) await put(kube, ref, object, false);
  else await kube.delete(resourceOf(ref), ref.name, placeOf(ref));
}

/** Whole: an apply would leave fields that another client set, and with them openings that nobody wrote here. */
async function put(kube: Kube, ref: NetworkPolicyRef, object: PolicyObject, dryRun: boolean): Promise<void> {
  const resource = resourceOf(ref);
  const place = { ...placeOf(ref), dryRun };
  try {
    const { metadata } = await kube.get(resource, ref.name, placeOf(ref));
    const { uid, resourceVersion } = metadata;
    const own = { ...object.metadata, ...placeOf(ref), uid, resourceVersion };
    await kube.replace(resource, { ...object, metadata: own }, place);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "not-found") throw error;
    await kube.create(resource, { ...object, metadata: { ...object.metadata, ...placeOf(ref) } }, place);
  }
}

async function find(kube: Kube, ref: NetworkPolicyRef): Promise<PolicyObject | null> {
  const resource = resourceOf(ref);
  try {
    return plainPolicy(await kube.get(resource, ref.name, placeOf(ref)), resource);
  } catch (error) {
    if (error instanceof KubeError && error.code === "not-found") return null;
    throw error;
  }
}

/** By what it does: an API server adds defaults, so what was written is not quite what is there. */
function isSame(a: PolicyObject | null, b: PolicyObject | null): boolean {
  if (a === null || b === null) return a === b;
  return covers(a.spec, b.spec) && covers(a.specs, b.specs);
}

/** Whether all that `part` says is said in `whole`, lists of the same length. */
function covers(whole: unknown, part: unknown): boolean {
  if (part === undefined || part === null) return true;
  if (Array.isArray(part)) {
    return Array.isArray(whole) && whole.length === part.length && part.every((item, at) => covers(whole[at], item));
  }
  if (typeof part !== "object") return whole === part;
  return Object.entries(part).every(([key, value]) => {
    const other = typeof whole === "object" && whole !== null ? (whole as Record<string, unknown>)[key] : undefined;
    return covers(other, value) || (other === undefined && isEmpty(value));
  });
}

/** Empty lists and objects may be left out by an API server. */
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function resourceOf(ref: NetworkPolicyRef): NonNullable<ReturnType<typeof kindOf>> {
  const resource = kindOf(ref.kind);
  if (!resource) throw new KubeError("not-found", `there is no kind ${ref.kind} of network policies`);
  return resource;
}

function placeOf({ namespace }: NetworkPolicyRef): { namespace?: string } {
  return namespace === "" ? {} : { namespace };
}
