import type { AuditRecord } from "@bulwark/model";
import { ruleAllows } from "./access.ts";
import type { Graph } from "./graph.ts";
import type { Subject } from "./objects.ts";

/** What a subject was seen to do, as the rules that would have allowed just that. */
export interface Proposal {
  /** Null: objects without a namespace, in a ClusterRole; else a Role in that namespace. */
  readonly namespace: string | null;
  readonly rules: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

/** A rule that is granted and of which nothing was used. */
export interface Unused {
  readonly binding: string;
  readonly role: string;
  readonly namespace: string | null;
  /** Index in the role. */
  readonly rule: number;
}

/**
 * The least rights that a subject needs by what the audit log saw of it: one role for each namespace, and one for what is
 * in none. Requests that were refused count for nothing. The longer the log, the better the answer.
 */
export function propose(subject: Subject, records: Iterable<AuditRecord>): Proposal[] {
  const seen = new Map<string | null, Map<string, Set<string>>>();
  for (const record of records) {
    if (!isBy(record, subject) || record.object === null || record.decision === "forbid" || record.status === 403)
      continue;
    const { group, resource, subresource, namespace } = record.object;
    const where = namespace === "" ? null : namespace;
    const what = `${group}\u0000${subresource === "" ? resource : `${resource}/${subresource}`}`;
    const place = seen.get(where) ?? new Map<string, Set<string>>();
    seen.set(where, place);
    place.set(what, (place.get(what) ?? new Set()).add(record.verb));
  }
  return [...seen]
    .map(([namespace, place]) => ({ namespace, rules: rulesOf(place) }))
    .toSorted((a, b) => ((a.namespace ?? "") < (b.namespace ?? "") ? -1 : 1));
}

/** Resources of one group with the same verbs are one rule. */
function rulesOf(place: ReadonlyMap<string, ReadonlySet<string>>): Proposal["rules"] {
  const groups = Map.groupBy(
    place,
    ([what, verbs]) => `${what.split("\u0000")[0] ?? ""}\u0000${[...verbs].toSorted().join(",")}`,
  );
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, items]) => {
      const [group = "", verbs = ""] = key.split("\u0000");
      const resources = items.map(([what]) => what.split("\u0000")[1] ?? "").toSorted();
      return { apiGroups: [group], resources, verbs: verbs.split(",") };
    });
}

/** What is granted to the subject and was not used by any of the records. */
export function unused(graph: Graph, subject: Subject, records: Iterable<AuditRecord>): Unused[] {
  const mine = [...records].filter((record) => isBy(record, subject) && record.object !== null);
  return graph.permissions(subject).flatMap(({ namespace, role, binding }) =>
    role.rules.flatMap((rule, index) => {
      if (rule.resources.length === 0) return [];
      const used = mine.some(({ verb, object }) => {
        if (object === null || (namespace !== null && object.namespace !== namespace)) return false;
        const resource = object.subresource === "" ? object.resource : `${object.resource}/${object.subresource}`;
        return ruleAllows(rule, { verb, group: object.group, resource });
      });
      return used ? [] : [{ binding: binding.name, role: role.name, namespace, rule: index }];
    }),
  );
}

function isBy(record: AuditRecord, subject: Subject): boolean {
  const user = record.impersonated === "" ? record.user : record.impersonated;
  if (subject.kind === "ServiceAccount") return user === `system:serviceaccount:${subject.namespace}:${subject.name}`;
  return subject.kind === "User" ? user === subject.name : record.groups.includes(subject.name);
}
