import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model";
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node as YamlNode } from "yaml";
import type { Cluster, ClusterNode, Namespace, Pod } from "./cluster.ts";
import { limits, NetpolError, type Problem } from "./error.ts";
import { protocols, type ContainerPort } from "./ports.ts";
import { isRecord } from "./read.ts";
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

interface Entry {
  readonly object: Record<string, unknown>;
  readonly source: string;
}

/**
 * Reads namespaces, pods, workloads (their templates count as pods), nodes and policies from YAML or JSON files, with
 * several documents and `List` kinds; `-` is standard input, a folder the files in it. Raises `NetpolError` (`unreadable`, `invalid`) with file and line.
 */
export function loadFiles(files: readonly string[]): Loaded {
  return loadTexts(
    files.flatMap(filesOf).map((file) => ({ name: file === "-" ? "stdin" : file, text: readText(file) })),
  );
}

/** A folder stands for the YAML and JSON files in it. */
function filesOf(path: string): string[] {
  if (path === "-" || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const found = globSync("**/*.{yaml,yml,json}", { cwd: path }).toSorted();
  if (found.length > 0) return found.map((file) => join(path, file));
  throw new NetpolError("unreadable", `${path}: no YAML or JSON file in it`, {
    remedy: "name the folder of the objects",
  });
}

/** As `loadFiles`, of texts; their names are for messages. */
export function loadTexts(texts: readonly { name: string; text: string }[]): Loaded {
  return sort(texts.flatMap(({ name, text }) => readObjects(text, name)));
}

function readText(file: string): string {
  try {
    if (file === "-") return readFileSync(0, "utf8");
    const { size } = statSync(file);
    if (size > limits.file) {
      throw new NetpolError("too-large", `${file}: ${size} bytes; at most ${limits.file} are read`, {
        remedy: "split the file by namespace",
      });
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof NetpolError) throw error;
    throw new NetpolError("unreadable", `${file}: ${errorText(error)}`, {
      remedy: "name a file of Kubernetes objects that can be read",
      cause: error,
    });
  }
}

function readObjects(text: string, file: string): Entry[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw notObject(file, lines.linePos(error.pos[0]).line, error.message);
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return [];
    return entries(document, contents, file, lines);
  });
}

function entries(document: Document, node: YamlNode, file: string, lines: LineCounter): Entry[] {
  const line = lines.linePos(node.range?.[0] ?? 0).line;
  const kind: unknown = isMap(node) ? node.get("kind") : undefined;
  if (!isMap(node) || typeof kind !== "string") {
    throw notObject(file, line, "is no Kubernetes object: it has no kind");
  }
  const list: unknown = kind.endsWith("List") ? node.get("items", true) : undefined;
  if (isSeq(list)) return list.items.flatMap((item) => entries(document, item as YamlNode, file, lines));
  let object: unknown;
  try {
    object = node.toJS(document, { maxAliasCount: 100 });
  } catch (error) {
    throw notObject(file, line, errorText(error));
  }
  return isRecord(object) ? [{ object, source: `${file}:${line}` }] : [];
}

function notObject(file: string, line: number, reason: string): NetpolError {
  return new NetpolError("invalid", `${file}:${line}: ${reason}`, { remedy: "give YAML or JSON as kubectl prints it" });
}

const templates: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

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
    else if (kind === "Pod" || Object.hasOwn(templates, kind)) workloads.push(entry);
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
  const meta = record(object["metadata"]);
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
    owners: list(meta["ownerReferences"]).map(
      (owner) => `${String(owner["kind"])}/${namespace}/${String(owner["name"])}`,
    ),
  };
}

/** Real pods win over the template that made them, and a workload over those that it makes. */
function pods(entries: readonly Entry[]): Pod[] {
  const read = entries
    .filter(({ object }) => !["Succeeded", "Failed"].includes(String(record(object["status"])["phase"])))
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
  const path = Object.hasOwn(templates, kind) ? templates[kind] : undefined;
  const template = path ? path.reduce<unknown>((value, step) => record(value)[step], object) : object;
  const spec = record(record(template)["spec"]);
  const status = record(object["status"]);
  const ips = [status["podIP"], ...list(status["podIPs"]).map(({ ip }) => ip)].filter((ip) => typeof ip === "string");
  // Of the containers that start first, only those that stay (sidecars) can be connected to.
  const stay = list(spec["initContainers"]).filter(({ restartPolicy }) => restartPolicy === "Always");
  return {
    namespace,
    name,
    kind,
    labels: path ? labelsOf(record(record(template)["metadata"])["labels"], source) : labels,
    ips: path ? [] : [...new Set(ips)],
    ports: [...list(spec["containers"]), ...stay].flatMap(({ ports }) => list(ports).flatMap(containerPort)),
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
  return list(record(object["status"])["addresses"])
    .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
    .map(({ address }) => String(address));
}

function labelsOf(value: unknown, source: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(value)).map(([key, text]) => {
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

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
