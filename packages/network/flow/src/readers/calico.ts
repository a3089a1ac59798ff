import type { End, Flow, Workload } from "../flow.ts";
import {
  BrokenRecord,
  count,
  listAt,
  nameOf,
  portOf,
  recordAt,
  shown,
  text,
  timeOf,
  type LogRecord,
} from "../record.ts";
import { addressOf, identified, protocolOf, type Reader } from "./reader.ts";

/**
 * Calico's flow logs as JSON: those of Enterprise and Cloud (docs.tigera.io, "Flow log data types"), and those of
 * Whisker, which calls the same things by fewer fields (calico `whisker-backend/pkg/apis/v1/flows.go`).
 *
 * Both ends of a flow between two pods report it. What the destination reports of an allowed one counts no connection
 * and no bytes, or all would be there twice; what it denies counts.
 */
export const calico: Reader = {
  name: "calico",
  recognises: (record) => "reporter" in record && "action" in record && "dest_namespace" in record,
  read,
};

function read(record: LogRecord): Flow {
  const action = String(record["action"]).toLowerCase();
  if (action !== "allow" && action !== "deny") throw new BrokenRecord(`action is none: ${shown(record["action"])}`);
  const client = endOf(record, "source");
  const server = endOf(record, "dest");
  const denied = action === "deny";
  const reporter = String(record["reporter"]).toLowerCase();
  const byServer = reporter.startsWith("dst") || reporter.startsWith("dest");
  const second = byServer && !denied && client.workload !== null && server.workload !== null;
  const [sent, received] = byServer ? ["in", "out"] : ["out", "in"];
  const counted = (field: string): number => (second ? 0 : count(record[field]));
  const protocol = protocolOf(record["proto"] ?? record["protocol"]);
  const sourcePort = record["source_port"];
  return identified({
    client,
    server,
    clientPort: count(sourcePort) === 0 ? null : portOf(sourcePort, "source_port"),
    port: protocol === "ICMP" ? 0 : portOf(record["dest_port"] ?? 0, "dest_port"),
    protocol,
    process: text(record["process_name"]) === "*" ? null : text(record["process_name"]),
    result: denied ? "denied" : "established",
    deniedBy: denied ? deniedBy(record["policies"]) : null,
    first: timeOf(record["start_time"], "start_time"),
    last: timeOf(record["end_time"], "end_time"),
    connections: second ? 0 : Math.max(1, count(record["num_flows"])),
    bytesOut: counted(`bytes_${sent}`),
    bytesIn: counted(`bytes_${received}`),
    packetsOut: counted(`packets_${sent}`),
    packetsIn: counted(`packets_${received}`),
  });
}

function endOf(record: LogRecord, side: "source" | "dest"): End {
  const at = (field: string): unknown => record[`${side}_${field}`];
  const ip = addressOf(at("ip"), `${side}_ip`);
  const type = text(at("type"));
  const namespace = text(at("namespace"));
  const name = text(at("name"));
  const aggregated = text(at("name_aggr")) ?? name;
  // hep: an interface of a node; net: an address; ns: a set of addresses.
  if (namespace === null || (type !== null && type !== "wep")) {
    const [domain] = side === "dest" ? listAt(record["dest_domains"]) : [];
    return { workload: null, ip, name: nameOf(domain) };
  }
  const workload: Workload = {
    namespace,
    // `web-6d9f8b7c5d-*` is what pods of one ReplicaSet are gathered to.
    name: aggregated?.replace(/(-[a-z0-9]{5,10})?-\*$/, "") ?? null,
    kind: null,
    pod: name?.endsWith("*") ? null : name,
    labels: labelsOf(at("labels")),
    serviceAccount: null,
    node: side === "source" ? text(record["host"]) : null,
  };
  return { workload, ip, name: null };
}

/** `{ labels: ["a=b"] }`, or Whisker's `a=b | c=d`. */
function labelsOf(value: unknown): Record<string, string> {
  const list = typeof value === "string" ? value.split("|") : listAt(recordAt(value)["labels"]);
  const labels: Record<string, string> = {};
  for (const item of list.slice(0, 64)) {
    const [, key, label] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(text(item) ?? "") ?? [];
    if (key !== undefined && label !== undefined && !key.startsWith("projectcalico.org/")) labels[key] = label;
  }
  return labels;
}

/** `0|default|shop/default.web|deny|1`; Whisker's are objects under `enforced`. */
function deniedBy(policies: unknown): string | null {
  const enforced = listAt(recordAt(policies)["enforced"]).map(recordAt);
  for (const policy of enforced) {
    if (String(policy["action"]).toLowerCase() !== "deny") continue;
    const trigger = recordAt(policy["trigger"]);
    const name = text(policy["name"]) ?? text(trigger["name"]);
    const namespace = text(policy["namespace"]) ?? text(trigger["namespace"]);
    if (name !== null) return namespace === null ? name : `${namespace}/${name}`;
  }
  for (const item of listAt(recordAt(policies)["all_policies"])) {
    const [, , name = "", action = ""] = (text(item) ?? "").split("|");
    if (action === "deny") return name;
  }
  return null;
}
