import {
  isWorkload,
  placeText,
  podTemplateOf,
  readFiles,
  readTexts,
  recordOf,
  recordsOf,
  type Manifests,
} from "@bulwark/manifests";
import type { Cluster, ClusterNode, Namespace, Pod } from "./cluster.ts";
import { NetpolError, type Problem } from "./error.ts";
import { protocols, type ContainerPort } from "./ports.ts";
import { isPolicy } from "./tiers/index.ts";

export interface Loaded {
  readonly cluster: Cluster;
  /** Where each policy of the cluster stands: `file:line`. For `EvaluatorOptions.sources`. */
  readonly sources: readonly string[];
  /** Policies of kinds that are not understood here; errors, because what they say is missing from every verdict. */
  readonly problems: readonly Problem[];
  /** Kinds that say nothing about connections, and how many there were. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** An object, and where it stands. */
interface Entry {
  readonly object: Record<string, unknown>;
  readonly source: string;
}

/**
 * Reads namespaces, pods, workloads (their templates count as pods), nodes and policies from YAML or JSON files, with
 * several documents and `List` kinds; `-` is standard input, a folder the files in it. Raises `NetpolError` (`unreadable`,
 * `invalid`) with file and line: a verdict without what could not be read would be wrong.
 */
export function loadFiles(files: readonly string[]): Loaded {
  return sort(entriesOf(readFiles(files)));
}

/** As `loadFiles`, of texts; their names are for messages. */
export function loadTexts(texts: readonly { name: string; text: string }[]): Loaded {
  return sort(entriesOf(readTexts(texts)));
}

/** As `loadFiles`, of objects as an API server has them. */
export function loadObjects(objects: readonly Entry[]): Loaded {
  return sort(objects);
}

function entriesOf({ objects, problems, others }: Manifests): Entry[] {
  const wrong = problems[0] ?? others[0];
  if (wrong) {
    const code = wrong.line === 0 ? "unreadable" : "invalid";
    throw new NetpolError(code, `${placeText(wrong)}: ${wrong.reason}`, { remedy: wrong.remedy });
  }
  return objects.map(({ object, place }) => ({ object, source: placeText(place) }));
}

function sort(all: readonly Entry[]): Loaded {
  const namespaces: Namespace[] = [];
  const nodes: ClusterNode[] = [];
  const policies: Entry[] = [];
  const workloads: Entry[] = [];
  const problems: Problem[] = [];
  const ignored = new Map<string, number>();
  for (const entry of all) {
    const { object, source } = entry;
    const kind = String(object["kind"]);
    const { name, labels } = metadata(entry);
    if (isPolicy(object)) policies.push(entry);
    else if (kind === "Namespace") namespaces.push({ name, labels });
    else if (kind === "Node") nodes.push({ name, labels, ips: nodeAddresses(object) });
    else if (kind === "Pod" || isWorkload(kind)) workloads.push(entry);
    else if (kind.endsWith("NetworkPolicy")) {
      const reason = `policies of ${String(object["apiVersion"])} are not understood, so no verdict takes account of them`;
      problems.push({ severity: "error", object: `${kind} ${name}`, path: "apiVersion", reason, source });
    } else ignored.set(kind, (ignored.get(kind) ?? 0) + 1);
  }
  const cluster = { namespaces, pods: pods(workloads), nodes, policies: policies.map(({ object }) => object) };
  return { cluster, sources: policies.map(({ source }) => source), problems, ignored };
}

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  /** `Kind/namespace/name` of what made it. */
  readonly owners: readonly string[];
}

function metadata({ object, source }: Entry): Metadata {
  const meta = recordOf(object["metadata"]);
  if (typeof meta["name"] !== "string" && typeof meta["generateName"] !== "string") {
    throw new NetpolError("invalid", `${source}: ${String(object["kind"])} without metadata.name`, {
      remedy: "give the object a name",
    });
  }
  const namespace = typeof meta["namespace"] === "string" ? meta["namespace"] : "default";
  return {
    name: String(meta["name"] ?? meta["generateName"]),
    namespace,
    labels: labelsOf(meta["labels"], source),
    owners: recordsOf(meta["ownerReferences"]).map(
      (owner) => `${String(owner["kind"])}/${namespace}/${String(owner["name"])}`,
    ),
  };
}

/** Real pods win over the template that made them, and a workload over those that it makes. */
function pods(entries: readonly Entry[]): Pod[] {
  const read = entries
    .filter(({ object }) => !["Succeeded", "Failed"].includes(String(recordOf(object["status"])["phase"])))
    .map((entry) => ({ entry, kind: String(entry.object["kind"]), meta: metadata(entry) }));
  const key = ({ kind, meta }: (typeof read)[number]): string => `${kind}/${meta.namespace}/${meta.name}`;
  const byKey = new Map(read.map((item) => [key(item), item]));
  const replaced = new Set<string>();
  const replace = (owner: string): void => {
    const item = byKey.get(owner);
    if (!item || replaced.has(owner)) return;
    replaced.add(owner);
    item.meta.owners.forEach(replace);
  };
  for (const item of read.filter(({ kind }) => kind === "Pod")) item.meta.owners.forEach(replace);
  for (const item of read) {
    if (item.kind !== "Pod" && item.meta.owners.some((owner) => byKey.has(owner))) replaced.add(key(item));
  }
  const taken = new Set<string>();
  return read
    .filter((item) => !replaced.has(key(item)))
    .map(({ entry, kind, meta }) => {
      const plain = `${meta.namespace}/${meta.name}`;
      const name = taken.has(plain) ? `${kind.toLowerCase()}/${meta.name}` : meta.name;
      taken.add(`${meta.namespace}/${name}`);
      return toPod(entry, kind, { ...meta, name });
    });
}

function toPod({ object, source }: Entry, kind: string, { name, namespace, labels }: Metadata): Pod {
  const made = isWorkload(kind);
  const template = podTemplateOf(object);
  const spec = recordOf(recordOf(template)["spec"]);
  const status = recordOf(object["status"]);
  const ips = [status["podIP"], ...recordsOf(status["podIPs"]).map(({ ip }) => ip)].filter(
    (ip) => typeof ip === "string",
  );
  // Of the containers that start first, only those that stay (sidecars) can be connected to.
  const stay = recordsOf(spec["initContainers"]).filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    namespace,
    name,
    kind,
    labels: made ? labelsOf(recordOf(recordOf(template)["metadata"])["labels"], source) : labels,
    ips: made ? [] : [...new Set(ips)],
    ports: [...recordsOf(spec["containers"]), ...stay].flatMap(({ ports }) => recordsOf(ports).flatMap(containerPort)),
    hostNetwork: spec["hostNetwork"] === true,
    serviceAccount: typeof spec["serviceAccountName"] === "string" ? spec["serviceAccountName"] : "default",
  };
}

function containerPort({ name, containerPort: port, protocol }: Record<string, unknown>): ContainerPort[] {
  if (typeof port !== "number") return [];
  const known = protocols.find((item) => item === protocol) ?? "TCP";
  return [{ name: typeof name === "string" ? name : undefined, containerPort: port, protocol: known }];
}

function nodeAddresses(object: Record<string, unknown>): string[] {
  return recordsOf(recordOf(object["status"])["addresses"])
    .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
    .map(({ address }) => String(address));
}

function labelsOf(value: unknown, source: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value)).map(([key, text]) => {
      if (typeof text === "string") return [key, text];
      throw new NetpolError(
        "invalid",
        `${source}: label ${JSON.stringify(key)} must be a string, not ${JSON.stringify(text)}`,
        {
          remedy: "put it in quotes",
        },
      );
    }),
  );
}
