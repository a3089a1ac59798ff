export type FlowProtocol = "TCP" | "UDP" | "SCTP" | "ICMP" | "other";

/** `unknown`: the source does not tell, or the connection was still open. */
export type FlowResult = "established" | "refused" | "timed-out" | "denied" | "unknown";

/** A workload as it was when the flow was seen, never the later owner of its address. */
export interface Workload {
  readonly namespace: string;
  /** Of the Deployment, StatefulSet, … that owns the pod. */
  readonly name: string | null;
  readonly kind: string | null;
  readonly pod: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string | null;
  readonly node: string | null;
}

/** One side of a flow. Without a workload it is outside of the cluster, or one of its nodes. */
export interface End {
  readonly workload: Workload | null;
  readonly ip: string | null;
  /** The DNS name by which it was asked for, lower case, without the last dot. */
  readonly name: string | null;
}

export interface Tls {
  /** `1.0` to `1.3`, `SSL 3.0`; null where the source does not tell. */
  readonly version: string | null;
  readonly serverName: string | null;
}

/** A question to a name server. Such a flow counts no connection and no bytes: the connection is a flow of its own. */
export interface DnsQuestion {
  readonly name: string;
  /** `A`, `TXT`. */
  readonly type: string;
  /** `NOERROR`, `NXDOMAIN`; null without an answer. */
  readonly code: string | null;
  readonly addresses: readonly string[];
}

/** What one client did with one port of one server, for as long as the source says. Times in ms since the epoch. */
export interface Flow {
  readonly client: End;
  readonly server: End;
  readonly clientPort: number | null;
  /** Of the server; ICMP has none: 0. */
  readonly port: number;
  readonly protocol: FlowProtocol;
  /** Of the client. */
  readonly process: string | null;
  readonly result: FlowResult;
  readonly deniedBy: string | null;
  readonly first: number;
  readonly last: number;
  readonly connections: number;
  /** From client to server. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly packetsOut: number;
  readonly packetsIn: number;
  /** Null: no TLS was seen, which is not to say that there is none. */
  readonly tls: Tls | null;
  /** The protocol that was seen in clear text: `http`, `ftp`. */
  readonly clear: string | null;
  /** A password or token went by in clear text. */
  readonly credential: boolean;
  readonly dns: DnsQuestion | null;
  /** Community ID v1, where both addresses and ports are known. */
  readonly communityId: string | null;
}

const outside: End = { workload: null, ip: null, name: null };

/** A flow of which nothing is known but what is given. */
export function flowOf(known: Partial<Flow> & Pick<Flow, "first" | "port" | "protocol">): Flow {
  return {
    client: outside,
    server: outside,
    clientPort: null,
    process: null,
    result: "unknown",
    deniedBy: null,
    last: known.first,
    connections: 1,
    bytesOut: 0,
    bytesIn: 0,
    packetsOut: 0,
    packetsIn: 0,
    tls: null,
    clear: null,
    credential: false,
    dns: null,
    communityId: null,
    ...known,
  };
}

/** `shop/web` (the workload, or its pod where no workload is known; without a namespace its name), a DNS name, or an address. */
export function endText({ workload, name, ip }: End): string {
  if (workload) {
    const own = workload.name ?? workload.pod ?? "?";
    return workload.namespace === "" ? own : `${workload.namespace}/${own}`;
  }
  return name ?? ip ?? "unknown";
}
