import type { Access, Grant, Request } from "./access.ts";
import { subjectText } from "./access.ts";
import type { ClusterObjects, Namespace, Pod, Subject } from "./objects.ts";

/** What an attacker holds. */
export type State =
  | { readonly kind: "subject"; readonly subject: Subject }
  /** Code of his runs in it. */
  | { readonly kind: "pod"; readonly namespace: string; readonly name: string }
  /** He is root on it. */
  | { readonly kind: "node"; readonly name: string }
  /** Every right in one namespace. */
  | { readonly kind: "namespace"; readonly name: string }
  | { readonly kind: "cluster-admin" };

/** From what one holds to what one gets by it. */
export interface Step {
  readonly to: State;
  /** Id of the technique. */
  readonly technique: string;
  /** One sentence: `may create pods in namespace shop, and so run one as …`. */
  readonly because: string;
  /** What allows it; empty where no permission is needed, such as a token that lies in a pod. */
  readonly grants: readonly Grant[];
}

/** One way to get further. A new one is a file in `techniques/` and a line in its index. */
export interface Technique {
  readonly id: string;
  readonly title: string;
  /** How to close it. */
  readonly remedy: string;
  /** MITRE ATT&CK. */
  readonly attack: readonly string[];
  steps(from: State, world: World): Iterable<Step>;
}

/** What techniques ask. */
export interface World {
  readonly objects: ClusterObjects;
  /** What is granted to whom holds `from`, and where. */
  rights(from: State, request: Request): readonly Right[];
  accountsIn(namespace: string | null): readonly { namespace: string; name: string }[];
  podsIn(namespace: string | null): readonly Pod[];
  namespaces(namespace: string | null): readonly string[];
  podSecurity(namespace: string): Namespace["enforce"];
}

/** A grant, or what comes with every right in a namespace. */
export interface Right {
  readonly namespace: string | null;
  readonly names: readonly string[];
  readonly grant: Grant | undefined;
}

export function createWorld(objects: ClusterObjects, access: Access): World {
  const known = new Map<string, { namespace: string; name: string }>();
  const bound = objects.bindings.flatMap(({ subjects }) => subjects.filter((one) => one.kind === "ServiceAccount"));
  const used = objects.pods.map(({ namespace, serviceAccount }) => ({ namespace, name: serviceAccount }));
  for (const { namespace, name } of [...objects.serviceAccounts, ...bound, ...used]) {
    known.set(`${namespace}/${name}`, { namespace, name });
  }
  const accounts = [...known.values()];
  const accountsBy = Map.groupBy(accounts, ({ namespace }) => namespace);
  const podsBy = Map.groupBy(objects.pods, ({ namespace }) => namespace);
  const levels = new Map(objects.namespaces.map(({ name, enforce }) => [name, enforce]));
  const names = [...new Set([...levels.keys(), ...accountsBy.keys(), ...podsBy.keys()])].toSorted();
  return {
    objects,
    rights(from, request) {
      if (from.kind === "subject") return access.grantsOf(from.subject, request).map(toRight);
      if (from.kind !== "namespace" || request.clusterScoped === true) return [];
      return [{ namespace: from.name, names: [], grant: undefined }];
    },
    accountsIn: (namespace) => (namespace === null ? accounts : (accountsBy.get(namespace) ?? [])),
    podsIn: (namespace) => (namespace === null ? objects.pods : (podsBy.get(namespace) ?? [])),
    namespaces: (namespace) => (namespace === null ? names : [namespace]),
    podSecurity: (namespace) => levels.get(namespace) ?? "privileged",
  };
}

function toRight(grant: Grant): Right {
  return { namespace: grant.namespace, names: grant.names, grant };
}

export function grantsIn(...rights: readonly (Right | undefined)[]): Grant[] {
  return rights.flatMap((right) => (right?.grant ? [right.grant] : []));
}

export function account({ namespace, name }: { namespace: string; name: string }): State {
  return { kind: "subject", subject: { kind: "ServiceAccount", namespace, name } };
}

export function stateKey(state: State): string {
  return stateText(state);
}

export function stateText(state: State): string {
  if (state.kind === "subject") return subjectText(state.subject);
  if (state.kind === "pod") return `Pod ${state.namespace}/${state.name}`;
  if (state.kind === "node") return `Node ${state.name}`;
  return state.kind === "namespace" ? `every right in namespace ${state.name}` : "cluster-admin";
}

/** `in namespace shop`, `in every namespace`. */
export function whereText(namespace: string | null): string {
  return namespace === null ? "in every namespace" : `in namespace ${namespace}`;
}
