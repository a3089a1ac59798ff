import { createHash } from "node:crypto";
import type { KubeResource } from "@bulwark/kube";
import { mostManifest, type KubeKind } from "@bulwark/model";

/** Written by clients and clusters for themselves; the first two are other on each change, the last is the object again. */
const bookkeeping = ["managedFields", "resourceVersion", "generation", "selfLink"];
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
/** Of what a cluster says of an object: whether a pod or a job is over, and of which versions a node is. */
const status: Partial<Record<KubeKind, readonly string[]>> = {
  Pod: ["phase"],
  Job: ["completionTime", "conditions"],
  Node: ["nodeInfo"],
};
const credential = /passw(?:or)?d|secret|token|credential|(?:api|access|private)_?key/i;
/** In place of the value of a variable that is called like a credential: that it has one is all that is told. */
const masked = "(not told)";

/**
 * The whole object as JSON, as policies and benchmarks are asked about it; null where it is too large to be told. The same
 * text as long as nobody but its cluster changes it.
 */
export function manifestOf(kind: KubeKind, raw: KubeResource): string | null {
  const { metadata, status: told, ...rest } = raw;
  const annotations = metadata.annotations && without(metadata.annotations, [lastApplied]);
  const manifest = {
    ...rest,
    metadata: { ...without(metadata, bookkeeping), ...(annotations && { annotations }) },
    status: only(told, status[kind] ?? []),
  };
  const text = JSON.stringify(manifest, (key, value: unknown) =>
    key === "env" && Array.isArray(value) ? value.map(variable) : value,
  );
  return text.length > mostManifest ? null : text;
}

function variable(one: unknown): unknown {
  if (typeof one !== "object" || one === null || !("name" in one) || !("value" in one)) return one;
  const isSecret = typeof one.name === "string" && credential.test(one.name) && one.value !== "";
  return isSecret ? { ...one, value: masked } : one;
}

function without(object: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}

function only(object: unknown, fields: readonly string[]): object | undefined {
  if (typeof object !== "object" || object === null) return undefined;
  const kept = Object.entries(object).filter(([field]) => fields.includes(field));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Which manifests have been told, so that a pod whose status changes is not told as a whole each time. */
export class Manifests {
  #hashes = new Map<string, string>();

  /** `manifest` where it is another than was told before. */
  changed(uid: string, manifest: string | null): { manifest?: string | null } {
    const hash = manifest === null ? "" : createHash("sha1").update(manifest).digest("base64");
    if (this.#hashes.get(uid) === hash) return {};
    this.#hashes.set(uid, hash);
    return { manifest };
  }
  forget(uid: string): void {
    this.#hashes.delete(uid);
  }
  keep(uids: ReadonlySet<string>): void {
    for (const uid of this.#hashes.keys()) if (!uids.has(uid)) this.#hashes.delete(uid);
  }
}
