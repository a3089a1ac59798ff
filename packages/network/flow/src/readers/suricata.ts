import type { End, Flow, FlowResult } from "../flow.ts";
import { count, listAt, nameOf, portOf, recordAt, text, timeOf, type LogRecord } from "../record.ts";
import { addressOf, identified, protocolOf, type Reader } from "./reader.ts";

/**
 * Suricata's `eve.json` (docs.suricata.io, "Eve JSON Format"): events `flow`, `dns`, `tls`, `http`, `ftp`, `drop`. An
 * alert or a file tells nothing of a flow that its `flow` event does not. `src_ip` of a flow is who opened it.
 */
export const suricata: Reader = {
  name: "suricata",
  recognises: (record) => "event_type" in record && "timestamp" in record,
  read(record) {
    const type = record["event_type"];
    const read = typeof type === "string" && Object.hasOwn(events, type) ? events[type] : undefined;
    return read?.(record);
  },
};

/** All but a `flow` say something of a connection that has its own `flow` event: they carry no counts. */
const events: Readonly<Record<string, (record: LogRecord) => Flow | undefined>> = {
  flow: readFlow,
  dns: readDns,
  tls: (record) => {
    const tls = recordAt(record["tls"]);
    const version = text(tls["version"]);
    return event(record, {
      tls: { version: versionOf(version), serverName: nameOf(tls["sni"]) },
      result: "established",
    });
  },
  http: (record) => event(record, { clear: "http", result: "established" }),
  ftp: (record) =>
    event(record, { clear: "ftp", credential: recordAt(record["ftp"])["command"] === "PASS", result: "established" }),
  drop: (record) => event(record, { result: "denied", deniedBy: "suricata" }),
};

function readFlow(record: LogRecord): Flow {
  const flow = recordAt(record["flow"]);
  return event(record, {
    first: timeOf(flow["start"] ?? record["timestamp"], "flow.start"),
    last: timeOf(flow["end"] ?? record["timestamp"], "flow.end"),
    result: resultOf(record, flow),
    bytesOut: count(flow["bytes_toserver"]),
    bytesIn: count(flow["bytes_toclient"]),
    packetsOut: count(flow["pkts_toserver"]),
    packetsIn: count(flow["pkts_toclient"]),
    clear: clearProtocols.get(text(record["app_proto"]) ?? "") ?? null,
  });
}

/** As Suricata names them (`app_proto`). */
const clearProtocols = new Map(["http", "ftp", "telnet", "smtp", "imap", "pop3", "ldap"].map((name) => [name, name]));

function resultOf(record: LogRecord, flow: LogRecord): FlowResult {
  if (flow["action"] === "drop") return "denied";
  if (flow["state"] === "established" || (flow["state"] === "closed" && count(flow["bytes_toclient"]) > 0)) {
    const tcp = recordAt(record["tcp"]);
    if (record["proto"] === "TCP" && tcp["rst"] === true && count(flow["pkts_toclient"]) <= 1) return "refused";
    return "established";
  }
  return count(flow["pkts_toclient"]) > 0 ? "unknown" : record["proto"] === "TCP" ? "timed-out" : "unknown";
}

/** Version 1 and 2 have one question each; version 3 (Suricata 8) has lists. An answer repeats the question. */
function readDns(record: LogRecord): Flow | undefined {
  const dns = recordAt(record["dns"]);
  const [query] = listAt(dns["queries"] ?? dns["query"]).map(recordAt);
  const name = nameOf(dns["rrname"] ?? query?.["rrname"]);
  if (name === null) return undefined;
  const addresses = listAt(dns["answers"]).flatMap((answer) => {
    const { rrtype, rdata } = recordAt(answer) as { rrtype?: unknown; rdata?: unknown };
    return rrtype === "A" || rrtype === "AAAA" ? (text(rdata) ?? []) : [];
  });
  const answer = dns["type"] === "answer" || dns["type"] === "response";
  const question = {
    name,
    type: text(dns["rrtype"] ?? query?.["rrtype"]) ?? "A",
    code: answer ? (text(dns["rcode"]) ?? "NOERROR") : null,
    addresses,
  };
  return { ...event(record, { dns: question, result: answer ? "established" : "unknown" }), connections: 0 };
}

function event(record: LogRecord, known: Partial<Flow>): Flow {
  const protocol = protocolOf(record["proto"]);
  const portless = protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP";
  // An answer may be logged in its own direction: away from the server.
  const reversed = !portless && record["src_port"] === 53 && record["event_type"] === "dns";
  const [from, to] = reversed ? ["dest", "src"] : ["src", "dest"];
  return identified({
    client: endOf(record[`${from}_ip`]),
    server: endOf(record[`${to}_ip`]),
    clientPort: portless ? null : portOf(record[`${from}_port`], `${from}_port`),
    port: portless ? 0 : portOf(record[`${to}_port`], `${to}_port`),
    protocol,
    first: known.first ?? timeOf(record["timestamp"], "timestamp"),
    communityId: text(record["community_id"]),
    ...known,
  });
}

function endOf(ip: unknown): End {
  return { workload: null, ip: addressOf(ip, "address"), name: null };
}

function versionOf(version: string | null): string | null {
  if (version === null || version === "UNDETERMINED") return null;
  const plain = version.replace(/^TLSv?\s*/, "");
  return plain === "1" ? "1.0" : plain.replace(/^SSLv(\d)$/, "SSL $1.0");
}
