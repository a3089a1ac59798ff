import type { End, Flow, FlowResult } from "../flow.ts";
import { BrokenRecord, count, listAt, nameOf, portOf, shown, text, timeOf, type LogRecord } from "../record.ts";
import { addressOf, identified, protocolOf, type Reader } from "./reader.ts";

/**
 * Zeek's `conn.log`, `dns.log` and `ssl.log`, as JSON or as tab-separated values (docs.zeek.org, `Conn::Info`,
 * `DNS::Info`, `SSL::Info`). JSON need not say which log it is: the fields do.
 */
export const zeek: Reader = {
  name: "zeek",
  recognises: (record) => "id.orig_h" in record && "ts" in record,
  read(record) {
    if ("conn_state" in record) return readConnection(record);
    if ("qtype_name" in record || "query" in record) return readDns(record);
    if ("cipher" in record || "server_name" in record || "established" in record) return readTls(record);
    return undefined;
  },
};

function readConnection(record: LogRecord): Flow {
  const first = timeOf(record["ts"], "ts");
  const duration = Number(record["duration"]);
  return connection(record, {
    first,
    last: first + (duration > 0 && Number.isFinite(duration) ? Math.round(duration * 1000) : 0),
    result: resultOf(record),
    bytesOut: count(record["orig_bytes"]),
    bytesIn: count(record["resp_bytes"]),
    packetsOut: count(record["orig_pkts"]),
    packetsIn: count(record["resp_pkts"]),
    clear: clearOf(text(record["service"])),
  });
}

/** `Conn::Info$conn_state`: S0 no answer, REJ refused, RSTRH and SH are half of a handshake, the others had one. */
function resultOf(record: LogRecord): FlowResult {
  const state = text(record["conn_state"]);
  const tcp = protocolOf(record["proto"]) === "TCP";
  switch (state) {
    case "S0":
    case "SH":
    case "RSTOS0":
      return tcp ? "timed-out" : "unknown";
    case "REJ":
    case "RSTRH":
      return "refused";
    case "S1":
    case "S2":
    case "S3":
    case "SF":
    case "RSTO":
    case "RSTR":
      return "established";
    case "SHR":
    case "OTH":
    case null:
      return "unknown";
    default:
      throw new BrokenRecord(`conn_state is none of Zeek's: ${shown(state)}`);
  }
}

const clearServices = new Set([
  "http",
  "ftp",
  "telnet",
  "smtp",
  "imap",
  "pop3",
  "ldap",
  "mysql",
  "postgresql",
  "redis",
]);

/** Services that Zeek confirmed, divided by commas; those in TLS have `ssl` beside them. */
function clearOf(services: string | null): string | null {
  const list = services?.split(",") ?? [];
  return list.includes("ssl") || list.includes("quic") ? null : (list.find((name) => clearServices.has(name)) ?? null);
}

function readDns(record: LogRecord): Flow | undefined {
  const name = nameOf(record["query"]);
  if (name === null) return undefined;
  const code = text(record["rcode_name"]);
  const answers = record["answers"];
  const list = typeof answers === "string" ? answers.split(",") : listAt(answers);
  const addresses = list.slice(0, 64).flatMap((answer) => {
    const found = text(answer);
    return found !== null && /^[\da-f.:]+$/i.test(found) && /[.:]/.test(found) ? found : [];
  });
  const dns = { name, type: text(record["qtype_name"]) ?? "A", code, addresses };
  return connection(record, { dns, connections: 0, result: code === null ? "unknown" : "established" });
}

function readTls(record: LogRecord): Flow {
  const version = text(record["version"])
    ?.replace(/^TLSv(\d)(\d)$/, "$1.$2")
    .replace(/^SSLv(\d)$/, "SSL $1.0");
  const failed = record["established"] === false || record["established"] === "F";
  return connection(record, {
    tls: { version: version ?? null, serverName: nameOf(record["server_name"]) },
    result: failed ? "unknown" : "established",
    protocol: "TCP",
  });
}

function connection(record: LogRecord, known: Partial<Flow>): Flow {
  const protocol = known.protocol ?? protocolOf(record["proto"]);
  const portless = protocol === "ICMP" || protocol === "other";
  return identified({
    client: endOf(record["id.orig_h"], "id.orig_h"),
    server: endOf(record["id.resp_h"], "id.resp_h"),
    clientPort: portless ? null : portOf(record["id.orig_p"], "id.orig_p"),
    port: portless ? 0 : portOf(record["id.resp_p"], "id.resp_p"),
    protocol,
    first: known.first ?? timeOf(record["ts"], "ts"),
    communityId: text(record["community_id"]),
    ...known,
  });
}

function endOf(ip: unknown, what: string): End {
  return { workload: null, ip: addressOf(ip, what), name: null };
}
