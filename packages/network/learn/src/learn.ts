import type { Edge, End, Grain } from "@bulwark/flow";
import type { Pod, Protocol } from "@bulwark/netpol";
import { carried, portProtocol, unfit, type Unfit } from "./eligible.ts";
import { addEvidence, noEvidence, type Evidence } from "./evidence.ts";
import { createGroups, type Group } from "./groups.ts";

export interface LearnOptions {
  /** For whom a policy is: all of a namespace, a workload (the default), or pods that labels can tell apart. */
  readonly grain?: Grain;
  /** Pods and templates that are known beside those in the flows: selectors must not catch them. */
  readonly pods?: readonly Pod[];
  /** Whether peers outside are written by the name that they were asked for by (`toFQDNs` of Cilium). */
  readonly names?: boolean;
}

export type Peer =
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "address"; readonly ip: string }
  | { readonly kind: "name"; readonly name: string };

export interface Port {
  readonly port: number;
  readonly protocol: Protocol;
}

export interface Rule {
  readonly peer: Peer;
  /** In order of number and protocol. */
  readonly ports: readonly Port[];
  readonly evidence: Evidence;
}

/** What a group does and is asked for: all else is to be closed. */
export interface Candidate {
  readonly subject: Group;
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

export interface Learned {
  /** In the order of namespace and name. */
  readonly candidates: readonly Candidate[];
  /** Edges that were not learned, by reason. */
  readonly skipped: ReadonlyMap<Unfit, number>;
  /** What a person should know before these are used: what is wider than what was seen, and why. */
  readonly notes: readonly string[];
}

interface Draft {
  readonly subject: Group;
  readonly ingress: Map<string, DraftRule>;
  readonly egress: Map<string, DraftRule>;
}
interface DraftRule {
  readonly peer: Peer;
  readonly ports: Map<string, Port>;
  readonly evidence: Evidence;
}

/**
 * Learns candidates of policies from edges at the grain of pods. What they allow is what was connected, no more and no
 * less, as far as labels can tell pods apart; where they cannot, `notes` says so.
 */
export function learn(edges: readonly Edge[], options: LearnOptions = {}): Learned {
  const { grain = "workload", pods = [], names = false } = options;
  const skipped = new Map<Unfit, number>();
  const fit = edges.filter((edge) => {
    const reason = unfit(edge) ?? (carried(edge) ? undefined : "attempts only: nothing was connected");
    if (reason !== undefined) skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    return reason === undefined;
  });
  const named = edges.filter((edge) => unfit(edge) === undefined);
  const groups = createGroups(named, pods, grain);
  const drafts = new Map<string, Draft>();
  const draftOf = (subject: Group): Draft => {
    const draft = drafts.get(subject.key) ?? { subject, ingress: new Map(), egress: new Map() };
    drafts.set(subject.key, draft);
    return draft;
  };
  const peerOf = (end: End, byName: boolean): Peer => {
    if (end.workload) return { kind: "group", group: groups.of(end.workload) };
    if (byName && end.name !== null && isDomain(end.name)) return { kind: "name", name: end.name };
    return { kind: "address", ip: end.ip ?? "" };
  };
  for (const edge of fit) {
    const { client, server } = edge;
    if (client.workload) note(draftOf(groups.of(client.workload)).egress, peerOf(server, names), edge, server.name);
    if (server.workload) note(draftOf(groups.of(server.workload)).ingress, peerOf(client, false), edge, client.name);
  }
  const all = [...drafts.values()].sort((a, b) => compare(groupText(a.subject), groupText(b.subject)));
  return {
    candidates: all.filter(({ subject }) => subject.selector !== null).map(finish),
    skipped,
    notes: all.flatMap(({ subject }) => noteOf(subject)),
  };
}

function note(rules: Map<string, DraftRule>, peer: Peer, edge: Edge, name: string | null): void {
  const protocol = portProtocol(edge.protocol);
  if (!protocol) return;
  const key = peerKey(peer);
  const rule = rules.get(key) ?? { peer, ports: new Map<string, Port>(), evidence: noEvidence() };
  rules.set(key, rule);
  rule.ports.set(`${edge.port}/${protocol}`, { port: edge.port, protocol });
  addEvidence(rule.evidence, edge, name);
}

function finish({ subject, ingress, egress }: Draft): Candidate {
  return { subject, ingress: rulesOf(ingress), egress: rulesOf(egress) };
}

function rulesOf(drafts: Map<string, DraftRule>): Rule[] {
  return [...drafts.values()]
    .sort((a, b) => compare(peerKey(a.peer), peerKey(b.peer)))
    .map(({ peer, ports, evidence }) => ({
      peer,
      ports: [...ports.values()].sort((a, b) => a.port - b.port || compare(a.protocol, b.protocol)),
      evidence,
    }));
}

/** Pods first, then names, then addresses. */
function peerKey(peer: Peer): string {
  if (peer.kind === "group") return `1 ${groupText(peer.group)}`;
  return peer.kind === "name" ? `2 ${peer.name}` : `3 ${peer.ip}`;
}

function groupText({ namespace, name, key }: Group): string {
  return `${namespace}/${name} ${key}`;
}

function noteOf({ namespace, name, selector, exact }: Group): string[] {
  if (selector === null) {
    return [`${namespace}/${name}: no label of it is known, so it gets no policy, and as a peer it is its namespace`];
  }
  return exact
    ? []
    : [`${namespace}/${name}: other pods of the namespace have all of its labels, and are selected too`];
}

/** As Cilium's schema has it (`toFQDNs.matchName`). */
function isDomain(name: string): boolean {
  return name.length <= 253 && /^([-a-z0-9_]+\.)+[-a-z0-9_]+$/.test(name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
