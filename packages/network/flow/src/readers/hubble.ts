import type { End, Flow, FlowResult, Workload } from "../flow.ts";
import { ownerName } from "../owner.ts";
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
import { addressOf, identified, type Reader } from "./reader.ts";

/**
 * `hubble observe -o json`, with the flow bare or under `flow` (`-o jsonpb`). Source: cilium `api/v1/flow/flow.proto`.
 * Hubble tells of packets: those of one connection are joined by their community id.
 */
export const hubble: Reader = {
  name: "hubble",
  recognises: (record) =>
    "flow" in record ? "node_name" in record && isFlow(recordAt(record["flow"])) : isFlow(record),
  read: (record) => read("flow" in record && !("verdict" in record) ? recordAt(record["flow"]) : record),
};

function isFlow(record: LogRecord): boolean {
  return "verdict" in record && ("IP" in record || "l4" in record || "source" in record);
}

function read(record: LogRecord): Flow | undefined {
  const ip = recordAt(record["IP"]);
  const l4 = recordAt(record["l4"]);
  const [protocol, layer] = Object.entries(l4)[0] ?? [];
  // Neither ARP nor events of the agent are flows between ends.
  if (protocol === undefined) return undefined;
  const ports = recordAt(layer);
  const ends = {
    source: endOf(record["source"], ip["source"], record["source_names"], text(record["node_name"])),
    destination: endOf(record["destination"], ip["destination"], record["destination_names"], null),
  };
  const reply = record["is_reply"] === true || record["reply"] === true;
  const icmp = protocol.startsWith("ICMP");
  const sourcePort = icmp ? 0 : portOf(ports["source_port"], "source_port");
  const destinationPort = icmp ? 0 : portOf(ports["destination_port"], "destination_port");
  const l7 = recordAt(record["l7"]);
  const dns = recordAt(l7["dns"]);
  const question = nameOf(dns["query"]);
  return identified({
    client: reply ? ends.destination : ends.source,
    server: reply ? ends.source : ends.destination,
    clientPort: icmp ? null : reply ? destinationPort : sourcePort,
    port: reply ? sourcePort : destinationPort,
    protocol: icmp ? "ICMP" : protocol === "TCP" || protocol === "UDP" || protocol === "SCTP" ? protocol : "other",
    first: timeOf(record["time"], "time"),
    result: resultOf(record, reply, recordAt(ports["flags"])),
    deniedBy: deniedBy(record),
    clear: "http" in l7 && recordAt(record["IP"])["encrypted"] !== true ? "http" : null,
    connections: question === null ? 1 : 0,
    dns:
      question === null
        ? null
        : {
            name: question,
            type: text(listAt(dns["qtypes"])[0]) ?? "A",
            code: codeOf(l7["type"], dns["rcode"]),
            addresses: listAt(dns["ips"]).flatMap((address) => text(address) ?? []),
          },
  });
}

function codeOf(type: unknown, rcode: unknown): string | null {
  if (type !== "RESPONSE") return null;
  return count(rcode) === 0 ? "NOERROR" : count(rcode) === 3 ? "NXDOMAIN" : `RCODE${count(rcode)}`;
}

/** A forwarded packet of the client alone does not tell that anybody answered. */
function resultOf(record: LogRecord, reply: boolean, flags: LogRecord): FlowResult {
  const verdict = record["verdict"];
  switch (verdict) {
    case "DROPPED":
      return "denied";
    case "FORWARDED":
    case "REDIRECTED":
    case "TRACED":
    case "TRANSLATED":
    case "AUDIT":
      if (reply && flags["RST"] === true && flags["PSH"] !== true) return "refused";
      return reply || (flags["ACK"] === true && flags["SYN"] !== true) ? "established" : "unknown";
    case "ERROR":
    case "VERDICT_UNKNOWN":
      return "unknown";
    default:
      throw new BrokenRecord(`verdict is none of Hubble's: ${shown(verdict)}`);
  }
}

function deniedBy(record: LogRecord): string | null {
  if (record["verdict"] !== "DROPPED") return null;
  const [policy] = [...listAt(record["egress_denied_by"]), ...listAt(record["ingress_denied_by"])].map(recordAt);
  if (!policy) return text(record["drop_reason_desc"]);
  const namespace = text(policy["namespace"]);
  const name = text(policy["name"]) ?? "?";
  return namespace === null ? name : `${namespace}/${name}`;
}

function endOf(endpoint: unknown, ip: unknown, names: unknown, node: string | null): End {
  const { namespace, pod_name: pod, labels: written, workloads } = recordAt(endpoint);
  const end = { ip: addressOf(ip, "IP"), name: nameOf(listAt(names)[0]) };
  const space = text(namespace);
  if (space === null) return { ...end, workload: null };
  const labels: Record<string, string> = {};
  let serviceAccount: string | null = null;
  for (const label of listAt(written)) {
    const match = /^([^:=]+):([^=]+)=(.*)$/s.exec(text(label) ?? "");
    const [, source, key = "", value = ""] = match ?? [];
    if (key === "io.cilium.k8s.policy.serviceaccount") serviceAccount = value;
    else if (source === "k8s" && !key.startsWith("io.cilium.k8s.") && key !== "io.kubernetes.pod.namespace") {
      labels[key] = value;
    }
  }
  const owner = recordAt(listAt(workloads)[0]);
  const workload: Workload = {
    namespace: space,
    name: text(owner["name"]) ?? ownerName(text(pod), labels),
    kind: text(owner["kind"]),
    pod: text(pod),
    labels,
    serviceAccount,
    node,
  };
  return { ...end, workload };
}
