/**
 * Traffic that is made, not recorded: ordinary days of thirty workloads with habits that look like attacks (monitors,
 * backups, telemetry at even intervals, outages, content networks), and attacks of random strength, some too faint to
 * be found. Figures on it tell whether a detector does what it says, not how it does in somebody's cluster.
 */
import { flowOf, type End, type Flow } from "@bulwark/flow";

const minute = 60_000;
const hour = 60 * minute;
export const day = 24 * hour;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
type Random = () => number;
export function sequence(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const between = (random: Random, low: number, high: number): number => low + random() * (high - low);
const whole = (random: Random, low: number, high: number): number => Math.floor(between(random, low, high + 1));

export function workload(name: string): End {
  const identity = {
    namespace: "made",
    name,
    kind: null,
    pod: `${name}-0`,
    labels: { app: name },
    serviceAccount: null,
    node: null,
  };
  return { workload: identity, ip: null, name: null };
}
const outside = (ip: string, name: string | null = null): End => ({ workload: null, ip, name });
const nameServer = outside("10.0.0.10");

const count = 30;

export function ordinaryDay(start: number, random: Random): Flow[] {
  const flows: Flow[] = [];
  for (let index = 0; index < count; index++) {
    const client = workload(`w${index}`);
    const peers = [1, 2, 3].map((step) => workload(`w${(index + step) % count}`));
    const saas = outside(`203.0.113.${index}`, `api${index}.example.com`);
    for (let call = 0; call < 120; call++) {
      const first = start + random() * day;
      const server = peers[whole(random, 0, 2)] ?? saas;
      const result = random() < 0.01 ? "refused" : "established";
      flows.push(tcp(client, server, 8080, first, { result, bytesOut: whole(random, 200, 20_000) }));
    }
    // Work with the outside, more by day than by night.
    for (let call = 0; call < 60; call++) {
      const first = start + 8 * hour + random() * 10 * hour;
      flows.push(tcp(client, saas, 443, first, { bytesOut: whole(random, 10_000, 900_000) }));
      flows.push(question(client, `api${index}.example.com`, first - 5, "NOERROR"));
    }
    // Telemetry, as even as any beacon.
    for (let first = start + index * 1000; first < start + day; first += 10 * minute) {
      flows.push(tcp(client, outside("198.51.100.10", "telemetry.example.net"), 443, first, { bytesOut: 512 }));
    }
    // A name with a slip of the pen, and one of a content network.
    for (let call = 0; call < 5; call++) {
      flows.push(question(client, `misspelled-host${call}.example.org`, start + random() * day, "NXDOMAIN"));
      flows.push(question(client, `${hex(random, 24)}.cdn.example`, start + random() * day, "NOERROR"));
    }
  }
  // The monitor reaches everybody; two hours of an outage: half of them do not answer.
  for (let first = start; first < start + day; first += 30 * minute) {
    for (let index = 0; index < count; index++) {
      const out = first - start > 10 * hour && first - start < 12 * hour && index % 3 === 0;
      flows.push(
        tcp(workload("monitor"), workload(`w${index}`), 9100, first, { result: out ? "timed-out" : "established" }),
      );
    }
  }
  // A backup each night, in the same measure.
  flows.push(
    ...Array.from({ length: 24 }, (_, at) =>
      tcp(workload("backup"), outside("198.51.100.20", "vault.example.net"), 443, start + at * hour, {
        bytesOut: between(random, 0.9, 1.1) * 2e8,
      }),
    ),
  );
  return flows;
}

/** An attack, and who does it. */
export interface Attack {
  readonly detector: string;
  readonly subject: string;
  readonly flows: readonly Flow[];
}

export function attacks(start: number, random: Random): Attack[] {
  const at = start + between(random, hour, 12 * hour);
  const actor = (index: number): End => workload(`w${index}`);
  const list: Attack[] = [];
  const add = (detector: string, index: number, flows: Flow[]): void => {
    list.push({ detector, subject: `made/w${index}`, flows });
  };
  const c2 = outside(`192.0.2.${whole(random, 1, 250)}`);
  const some = <T>(size: number, make: (index: number) => T): T[] =>
    Array.from({ length: size }, (_, index) => make(index));

  const pace = between(random, 100, 60_000);
  add(
    "port-scan",
    1,
    some(whole(random, 12, 200), (n) =>
      tcp(actor(1), workload("w20"), 1 + n * 7, at + n * pace, { result: random() < 0.05 ? "established" : "refused" }),
    ),
  );
  add(
    "host-scan",
    2,
    some(whole(random, 12, 200), (n) =>
      tcp(actor(2), outside(`10.9.${n >> 8}.${n & 255}`), 22, at + n * pace, {
        result: random() < 0.1 ? "established" : "timed-out",
      }),
    ),
  );
  add("lateral-movement", 4, [
    tcp(actor(3), actor(4), 22, at),
    tcp(actor(4), workload("w21"), 22, at + between(random, 1, 70) * minute),
  ]);
  const interval = between(random, 30_000, 600_000);
  const jitter = between(random, 0, 0.6);
  add(
    "beacon",
    5,
    some(whole(random, 14, 80), (n) =>
      tcp(actor(5), c2, 443, at + n * interval + (random() - 0.5) * 2 * jitter * interval, {
        bytesOut: whole(random, 300, 420),
      }),
    ),
  );
  add(
    "dns-tunnel",
    6,
    some(whole(random, 40, 400), (n) =>
      question(actor(6), `${hex(random, 40)}.t.evil.example`, at + n * 5000, "NOERROR"),
    ),
  );
  add(
    "generated-names",
    6,
    some(whole(random, 10, 80), (n) =>
      question(actor(6), `${letters(random, whole(random, 10, 18))}.com`, at + n * 20_000, "NXDOMAIN"),
    ),
  );
  add(
    "exfiltration",
    7,
    some(20, (n) =>
      tcp(actor(7), c2, 443, at + between(random, 0, 40) * minute + n, { bytesOut: between(random, 5e5, 2e7) }),
    ),
  );
  add("metadata-service", 8, [tcp(actor(8), outside("169.254.169.254"), 80, at)]);
  add("control-plane", 9, [
    tcp(actor(9), outside("10.0.0.2"), 10250, at, { result: random() < 0.5 ? "established" : "refused" }),
  ]);
  const pool = random() < 0.5;
  add("mining", 10, [
    tcp(actor(10), pool ? outside("192.0.2.9", "gulf.moneroocean.stream") : outside("192.0.2.9"), 3333, at, {
      last: at + 3 * hour,
      bytesOut: 50_000,
      bytesIn: 90_000,
    }),
  ]);
  add("known-bad", 11, [tcp(actor(11), outside("192.0.2.254"), 8443, at)]);
  add("clear-text", 12, [tcp(actor(12), workload("w22"), 21, at, { clear: "ftp", credential: true })]);
  add("weak-tls", 13, [tcp(actor(13), workload("w16"), 8080, at, { tls: { version: "1.0", serverName: null } })]);
  add("novelty", 14, [tcp(actor(14), workload("w25"), 5432, at)]);
  return list;
}

function tcp(client: End, server: End, port: number, first: number, more: Partial<Flow> = {}): Flow {
  return flowOf({
    client,
    server,
    port,
    protocol: "TCP",
    first: Math.round(first),
    result: "established",
    bytesOut: 400,
    bytesIn: 900,
    ...more,
  });
}

function question(client: End, name: string, first: number, code: string): Flow {
  const dns = { name, type: "A", code, addresses: [] };
  return flowOf({
    client,
    server: nameServer,
    port: 53,
    protocol: "UDP",
    first: Math.round(first),
    connections: 0,
    dns,
    result: "established",
  });
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
}

function letters(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join("");
}

/** Ordinary connections as Zeek writes them, for the whole way from text. */
export function* zeekLines(lines: number, random: Random): Generator<string> {
  for (let index = 0; index < lines; index++) {
    yield `${JSON.stringify({
      ts: 1_767_607_200 + index / 1000,
      uid: `C${index}`,
      "id.orig_h": `10.1.${whole(random, 0, 3)}.${whole(random, 1, 250)}`,
      "id.orig_p": whole(random, 1024, 65_535),
      "id.resp_h": `10.2.0.${whole(random, 1, 40)}`,
      "id.resp_p": [80, 443, 5432, 8080][whole(random, 0, 3)],
      proto: "tcp",
      service: "http",
      duration: random() * 3,
      orig_bytes: whole(random, 100, 5000),
      resp_bytes: whole(random, 100, 50_000),
      conn_state: random() < 0.97 ? "SF" : "REJ",
      orig_pkts: 8,
      resp_pkts: 9,
    })}\n`;
  }
}
