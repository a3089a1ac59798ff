import { ownerName, type Edge, type End, type Grain, type Workload } from "@bulwark/flow";
import type { Pod } from "@bulwark/netpol";
import { common, lasting, leastSelector, type Labels } from "./labels.ts";

/** Pods that one policy is about. */
export interface Group {
  readonly key: string;
  readonly namespace: string;
  /** For the policy's name and for people; the namespace where it is all of it. */
  readonly name: string;
  /** Empty: all pods of the namespace. Null: no label of theirs is known, nothing selects them. */
  readonly selector: Labels | null;
  /** Whether it selects no other pod that is known. */
  readonly exact: boolean;
}

export interface Groups {
  /** Of a workload that was given to `createGroups`. */
  of(workload: Workload): Group;
}

interface Member {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
}

/** Who belongs together at a grain, and by which labels they are found among all that is known of their namespace. */
export function createGroups(edges: readonly Edge[], pods: readonly Pod[], grain: Grain): Groups {
  const members = new Map<string, Map<string, Member>>();
  const namespaces = new Map<string, Member[]>();
  const take = (member: Member): void => {
    const same = members.get(groupKey(member, grain)) ?? new Map<string, Member>();
    members.set(groupKey(member, grain), same);
    const key = labelText(member.labels);
    if (same.has(key)) return;
    same.set(key, member);
    const neighbours = namespaces.get(member.namespace) ?? [];
    namespaces.set(member.namespace, neighbours);
    neighbours.push(member);
  };
  for (const { client, server } of edges) for (const end of [client, server]) takeEnd(end);
  for (const pod of pods) take(memberOf(pod.namespace, workloadName(pod), pod.labels ?? {}, grain));

  function takeEnd({ workload }: End): void {
    if (workload) take(memberOfWorkload(workload, grain));
  }

  const groups = new Map<string, Group>();
  for (const [key, same] of members) {
    const all = [...same.values()];
    const shared = common(all.map(({ labels }) => labels));
    // Those that share no label are found each by their own.
    const parts = grain === "namespace" || Object.keys(shared).length > 0 ? [all] : all.map((member) => [member]);
    for (const part of parts) {
      const group = groupOf(key, part, namespaces, grain);
      for (const member of part)
        groups.set(memberKey(member, grain), { ...group, key: `${key} ${labelText(group.selector ?? {})}` });
    }
  }
  return {
    of(workload) {
      const member = memberOfWorkload(workload, grain);
      const group = groups.get(memberKey(member, grain));
      if (!group) throw new Error(`${member.namespace}/${member.name} was not given to createGroups`);
      return group;
    },
  };
}

function groupOf(key: string, part: readonly Member[], namespaces: ReadonlyMap<string, Member[]>, grain: Grain): Group {
  const [first] = part;
  const { namespace, name } = first ?? { namespace: "", name: "" };
  if (grain === "namespace") return { key, namespace, name: namespace, selector: {}, exact: true };
  const own = common(part.map(({ labels }) => labels));
  if (Object.keys(own).length === 0) return { key, namespace, name, selector: null, exact: false };
  const inside = new Set(part);
  const others = (namespaces.get(namespace) ?? []).filter((member) => !inside.has(member));
  return {
    key,
    namespace,
    name,
    ...leastSelector(
      own,
      others.map(({ labels }) => labels),
    ),
  };
}

function memberOfWorkload({ namespace, name, pod, labels }: Workload, grain: Grain): Member {
  return memberOf(namespace, name ?? pod ?? "", labels, grain);
}

/** As the ends of flows are named: a pod of a workload in them is no other pod beside it. */
function workloadName({ name, kind = "Pod", labels = {}, workload }: Pod): string {
  return workload ?? (kind === "Pod" ? ownerName(name, labels) : null) ?? name;
}

function memberOf(namespace: string, name: string, labels: Labels, grain: Grain): Member {
  return { namespace, name, labels: lasting(labels, grain === "pod") };
}

/** At the grain of pods those that no lasting label tells apart are one. */
function groupKey({ namespace, name, labels }: Member, grain: Grain): string {
  if (grain === "namespace") return namespace;
  return grain === "workload" ? `${namespace}/${name}` : `${namespace}/${name} ${labelText(labels)}`;
}

function memberKey(member: Member, grain: Grain): string {
  return grain === "namespace" ? member.namespace : `${member.namespace}/${member.name} ${labelText(member.labels)}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}
