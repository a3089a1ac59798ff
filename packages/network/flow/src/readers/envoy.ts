import { isIP } from "node:net";
import type { End, Flow, FlowResult } from "../flow.ts";
import { BrokenRecord, count, nameOf, shown, text, timeOf, type LogRecord } from "../record.ts";
import { identified, type Reader } from "./reader.ts";

/**
 * Access logs of Envoy in the JSON format that Istio sets (istio.io, "Envoy Access Logs"; envoyproxy.io, "Access
 * logging"). They know addresses, not workloads: a directory of pods names them (`directory.ts`).
 */
export const envoy: Reader = {
  name: "envoy",
  recognises: (record) =>
    "start_time" in record && ("upstream_cluster" in record || "response_flags" in record) && !("reporter" in record),
  read,
};

function read(record: LogRecord): Flow {
  const cluster = text(record["upstream_cluster"]) ?? "";
  const inbound = cluster.startsWith("inbound|");
  const remote = socket(record["downstream_remote_address"]);
  if (!remote) {
    throw new BrokenRecord(`downstream_remote_address is no address: ${shown(record["downstream_remote_address"])}`);
  }
  const local = socket(record["downstream_local_address"]);
  const upstream = socket(record["upstream_host"]);
  // An inbound proxy dials its own pod, sometimes as 127.0.0.6; where the client went is what it listened on.
  const server = inbound ? (local ?? upstream) : (upstream ?? local);
  if (!server) throw new BrokenRecord("neither upstream_host nor downstream_local_address is an address");
  const outgoing = inbound ? undefined : socket(record["upstream_local_address"]);
  const first = timeOf(record["start_time"], "start_time");
  const requested = text(record["requested_server_name"]);
  const host = /^outbound\|\d*\|[^|]*\|(.+)$/.exec(cluster)?.[1] ?? (inbound ? null : requested);
  const encrypted = requested !== null || (text(record["downstream_tls_version"]) ?? "") !== "";
  const http = (text(record["protocol"]) ?? "").startsWith("HTTP");
  return identified({
    client: endOf(remote.ip, null),
    server: endOf(server.ip, nameOf(host)),
    clientPort: (outgoing ?? remote).port,
    port: server.port,
    protocol: (text(record["protocol"]) ?? "") === "UDP" ? "UDP" : "TCP",
    first,
    last: first + count(record["duration"]),
    result: resultOf(record),
    deniedBy: deniedBy(record),
    bytesOut: count(record["bytes_received"]),
    bytesIn: count(record["bytes_sent"]),
    tls: encrypted
      ? { version: versionOf(text(record["downstream_tls_version"])), serverName: nameOf(requested) }
      : null,
    // The side of the client cannot tell: its proxy encrypts after this line.
    clear: http && inbound && !encrypted ? "http" : null,
  });
}

function endOf(ip: string, name: string | null): End {
  return { workload: null, ip, name };
}

function versionOf(version: string | null): string | null {
  return version?.replace(/^TLSv?/, "") ?? null;
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
function socket(value: unknown): { ip: string; port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^[\]]+)):(\d{1,5})$/.exec(text(value) ?? "") ?? [];
  const ip = bracketed ?? plain ?? "";
  const port = Number(digits);
  return isIP(ip) > 0 && port <= 65535 ? { ip, port } : undefined;
}

/** envoyproxy.io, "Access logging", `%RESPONSE_FLAGS%`: UF, UH, NR no connection; UT, UC and others come after one. */
function resultOf(record: LogRecord): FlowResult {
  if (deniedBy(record) !== null) return "denied";
  const flags = (text(record["response_flags"]) ?? "").split(",");
  if (flags.includes("UF") || flags.includes("URX")) {
    return /timeout/i.test(
      text(record["upstream_transport_failure_reason"]) ?? text(record["response_code_details"]) ?? "",
    )
      ? "timed-out"
      : "refused";
  }
  if (flags.includes("UH") || flags.includes("NR") || flags.includes("NC")) return "unknown";
  return "established";
}

/** `rbac_access_denied_matched_policy[ns[shop]-policy[web]-rule[0]]`. */
function deniedBy(record: LogRecord): string | null {
  const details = `${text(record["response_code_details"]) ?? ""} ${text(record["connection_termination_details"]) ?? ""}`;
  return /rbac_access_denied_matched_policy\[(.*)\]/.exec(details)?.[1] ?? null;
}
