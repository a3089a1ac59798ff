import type { ListedEnd, NetworkEdge } from "@bulwark/model";
import { encryptionOf, ownName, verdictOf, type Encryption, type GroupKind, type Place, type PlaceOf } from "./ends.ts";

/** A group that is closed, or one that stands in an open group. */
export interface MapNode {
  id: string;
  /** Of itself where it is a group. */
  group: string;
  kind: GroupKind;
  /** The end; null of a group, and of those that found no room. */
  end: ListedEnd | null;
  name: string;
  /** How many ends it stands for. */
  ends: number;
  connections: number;
  /** Edges of it that are denied, and that are new. */
  denied: number;
  fresh: number;
}

export interface MapGroup {
  id: string;
  kind: GroupKind;
  open: boolean;
  /** All ends of it: those that fit and are seen, and those that are folded into one. */
  ends: number;
  denied: number;
  fresh: number;
  /** Edges between ends of it. */
  inside: number;
  /** Itself where it is closed. */
  nodes: MapNode[];
}

/** `part`: some of it is denied. */
type LinkVerdict = "denied" | "part" | "allowed" | "unjudged";

/** All edges from one node of the map to another. */
export interface MapLink {
  id: string;
  from: string;
  to: string;
  edges: NetworkEdge[];
  connections: number;
  verdict: LinkVerdict;
  encryption: Encryption;
  fresh: boolean;
}

export interface MapGraph {
  groups: MapGroup[];
  /** Most telling first: denied, new, most connections. Those within a closed group are in none. */
  links: MapLink[];
}

/** So many ends of an open group are shown; the others are one node. */
export const mostMembers = 150;

/** What the map shows of edges: closed groups as one node each, open ones with what is in them. */
export function buildGraph(edges: readonly NetworkEdge[], placeOf: PlaceOf, open: ReadonlySet<string>): MapGraph {
  const groups = new Map<string, GroupDraft>();
  const placed = edges.map((edge) => {
    const from = placeOf(edge.client, "client");
    const to = placeOf(edge.server, "server");
    enter(groups, from, edge.client, edge);
    enter(groups, to, edge.server, edge, from);
    return { edge, from, to };
  });
  const nodeOf = new Map<string, string>();
  const shown = [...groups.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((draft) => groupOf(draft, open.has(draft.id), nodeOf));
  const links = new Map<string, MapLink>();
  for (const { edge, from, to } of placed) {
    const client = nodeOf.get(from.member) ?? from.group;
    const server = nodeOf.get(to.member) ?? to.group;
    if (client === server && client === from.group) continue;
    link(links, client, server, edge);
  }
  return { groups: shown, links: [...links.values()].map(finish).sort(byWeight) };
}

interface GroupDraft {
  id: string;
  kind: GroupKind;
  members: Map<string, MapNode>;
  edges: Set<NetworkEdge>;
  denied: number;
  fresh: number;
  inside: number;
}

function enter(groups: Map<string, GroupDraft>, place: Place, end: ListedEnd, edge: NetworkEdge, from?: Place): void {
  const { group: id, kind, member } = place;
  let group = groups.get(id);
  if (!group) {
    group = { id, kind, members: new Map(), edges: new Set(), denied: 0, fresh: 0, inside: 0 };
    groups.set(id, group);
  }
  const denied = verdictOf(edge) === "denied" ? 1 : 0;
  const fresh = edge.isNew ? 1 : 0;
  let node = group.members.get(member);
  if (!node) {
    const name = ownName(end);
    node = { id: member, group: id, kind, end, name, ends: 1, connections: 0, denied: 0, fresh: 0 };
    group.members.set(member, node);
  }
  // What has to do with itself counts once.
  if (from?.member !== member) {
    node.connections += edge.connections;
    node.denied += denied;
    node.fresh += fresh;
  }
  if (from?.group === id) {
    group.inside++;
    return;
  }
  group.denied += denied;
  group.fresh += fresh;
}

function groupOf(draft: GroupDraft, open: boolean, nodeOf: Map<string, string>): MapGroup {
  const { id, kind, denied, fresh, inside } = draft;
  const all = [...draft.members.values()];
  const group = { id, kind, open, ends: all.length, denied, fresh, inside };
  if (!open) {
    const connections = sum(all, "connections");
    for (const { id: member } of all) nodeOf.set(member, id);
    const node: MapNode = { id, group: id, kind, end: null, name: "", ends: all.length, connections, denied, fresh };
    return { ...group, nodes: [node] };
  }
  const ranked = all.sort((a, b) => b.connections - a.connections || (a.id < b.id ? -1 : 1));
  const whole = ranked.length <= mostMembers;
  const kept = whole ? ranked : ranked.slice(0, mostMembers - 1);
  for (const { id: member } of kept) nodeOf.set(member, member);
  const nodes = kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  if (whole) return { ...group, nodes };
  const rest = ranked.slice(mostMembers - 1);
  const restId = `${id} …`;
  for (const { id: member } of rest) nodeOf.set(member, restId);
  const folded = { id: restId, group: id, kind, end: null, name: "", ends: rest.length };
  return {
    ...group,
    nodes: [
      ...nodes,
      { ...folded, connections: sum(rest, "connections"), denied: sum(rest, "denied"), fresh: sum(rest, "fresh") },
    ],
  };
}

function sum(nodes: readonly MapNode[], key: "connections" | "denied" | "fresh"): number {
  return nodes.reduce((all, node) => all + node[key], 0);
}

/** Names the pair; a space cannot be at its ends, and two follow each other nowhere else. */
function linkId(from: string, to: string): string {
  return `${from}  ${to}`;
}

function link(links: Map<string, MapLink>, from: string, to: string, edge: NetworkEdge): void {
  const id = linkId(from, to);
  let found = links.get(id);
  if (!found) {
    const nothing = { connections: 0, verdict: "unjudged", encryption: "unknown", fresh: false } as const;
    found = { id, from, to, edges: [], ...nothing };
    links.set(id, found);
  }
  found.edges.push(edge);
  found.connections += edge.connections;
  found.fresh ||= edge.isNew;
}

function finish(draft: MapLink): MapLink {
  return { ...draft, verdict: linkVerdict(draft.edges), encryption: linkEncryption(draft.edges) };
}

function linkVerdict(edges: readonly NetworkEdge[]): LinkVerdict {
  const said = new Set(edges.map(verdictOf));
  if (said.has("denied")) return said.size === 1 ? "denied" : "part";
  return said.has("unjudged") ? "unjudged" : "allowed";
}

function linkEncryption(edges: readonly NetworkEdge[]): Encryption {
  const said = new Set(edges.map(encryptionOf));
  for (const worst of ["credential", "clear"] as const) if (said.has(worst)) return worst;
  if (said.has("all")) return said.size === 1 ? "all" : "some";
  return said.has("some") ? "some" : "unknown";
}

const rank: Record<LinkVerdict, number> = { denied: 0, part: 1, allowed: 2, unjudged: 2 };

function byWeight(a: MapLink, b: MapLink): number {
  return (
    rank[a.verdict] - rank[b.verdict] ||
    Number(b.fresh) - Number(a.fresh) ||
    b.connections - a.connections ||
    (a.id < b.id ? -1 : 1)
  );
}
