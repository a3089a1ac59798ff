import type { DnsRecord } from "./activity-record.ts";

/** What the kernel counted of the network, and what was seen in it. Told only where `flows` is asked for. */
export type TrafficRecord = FlowRecord | OpeningRecord | DnsRecord;

/** Which side of a connection a container is; `unknown` where nothing was sent yet. */
export type FlowRole = "unknown" | "client" | "server";

/** All connections of a container with one port of one peer, since the record before: counts are those of this time only. */
export interface FlowRecord {
  type: "flow";
  sequence: bigint;
  time: bigint;
  /** The process whose socket it is: who connected, or who opened the listener. 0 where that is not known. */
  pid: number;
  startTime: bigint;
  /** Of the program's file, its first 15 bytes. */
  name: string;
  /** Number of its cgroup of version 2. */
  cgroup: bigint;
  networkNamespace: number;
  role: FlowRole;
  /** IANA number: 6 is TCP. */
  protocol: number;
  local: string;
  remote: string;
  /** Of the server, at whichever end that is; 0 of protocols without ports. */
  port: number;
  /** Of the first and the last of the connections. */
  firstClientPort: number;
  clientPort: number;
  first: bigint;
  last: bigint;
  /** Payload that this end sent and received; what TCP sent more than once counts once. */
  bytesOut: bigint;
  bytesIn: bigint;
  packetsOut: bigint;
  packetsIn: bigint;
  /** Connections that were begun; of protocols without such, conversations by the client's port. */
  begun: number;
  /** What became of connections of TCP: answered, refused by the peer, never answered, refused here by a policy. */
  established: number;
  refused: number;
  timedOut: number;
  denied: number;
  /** Connections that began with a handshake of TLS or QUIC. */
  encrypted: number;
  /** Number of the policy that denied last; 0: none did. */
  policy: number;
}

/** What a connection of TCP began with, in one direction; of the same flow at most once a minute. */
export interface OpeningRecord {
  type: "opening";
  sequence: bigint;
  time: bigint;
  pid: number;
  startTime: bigint;
  networkNamespace: number;
  role: FlowRole;
  protocol: number;
  fromClient: boolean;
  local: { ip: string; port: number };
  remote: { ip: string; port: number };
  /** The first bytes, at most 2048. */
  bytes: Buffer;
}
