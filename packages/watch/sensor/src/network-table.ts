import { SensorError } from "./error.ts";
import { parsePeer } from "./policy.ts";

/**
 * Network policies as the kernel asks them: whose address it is (a class), and which ports a pod's row lets that class reach.
 * Numbers are the caller's. Rows count from 1; 0 stands for a side on which nothing is refused.
 */
export interface NetworkTable {
  /** The longest prefix that has an address decides; together they should have every address: one that none has is refused. */
  prefixes: readonly { cidr: string; class: number }[];
  /** By row and class; what is not there is refused. `all`: every port. */
  cells: readonly { row: number; class: number; ports: "all" | readonly NetworkPorts[] }[];
  pods: readonly {
    /** Path in the version 2 hierarchy; its children are included. */
    cgroup: string;
    /** Rows. */
    ingress: number;
    egress: number;
  }[];
}

/** Inclusive; `protocol` as IANA numbers it. */
export interface NetworkPorts {
  protocol: number;
  first: number;
  last: number;
}

/** Enforces nothing any more. */
export const openNetwork: NetworkTable = { prefixes: [], cells: [], pods: [] };

const [BEGIN, PREFIXES, CELLS, SETS, POD, COMMIT] = [3, 4, 5, 6, 7, 8];
const MAGIC = 0x4b574c42;
const VERSION = 4;
const HEAD = 48;
const ROOM = 16_384 - HEAD;
const ALL_PORTS = 1;
const mostRanges = 64;

/** Commands for the sensor's standard input, in their order; `c/command.h` defines them. `nextId` numbers them. */
export function encodeTable(table: NetworkTable, nextId: () => bigint): { id: bigint; bytes: Buffer }[] {
  const { sets, cells } = numberSets(table);
  const head = (type: number, length: number): { id: bigint; bytes: Buffer } => {
    const id = nextId();
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32LE(MAGIC, 0);
    bytes.writeUInt16LE(VERSION, 4);
    bytes.writeUInt16LE(type, 6);
    bytes.writeUInt32LE(length, 8);
    bytes.writeBigUInt64LE(id, 32);
    return { id, bytes };
  };
  const listed = (type: number, entries: readonly Buffer[]): { id: bigint; bytes: Buffer }[] => {
    const size = entries[0]?.length ?? 1;
    const atOnce = Math.floor(ROOM / size);
    return Array.from({ length: Math.ceil(entries.length / atOnce) }, (_, part) => {
      const own = entries.slice(part * atOnce, (part + 1) * atOnce);
      const command = head(type, HEAD + own.length * size);
      command.bytes.writeUInt32LE(own.length, 40);
      own.forEach((entry, index) => entry.copy(command.bytes, HEAD + index * size));
      return command;
    });
  };
  return [
    head(BEGIN, 40),
    ...listed(PREFIXES, table.prefixes.map(encodePrefix)),
    ...listed(SETS, sets.map(encodeSet)),
    ...listed(
      CELLS,
      cells.map((cell) => words(...cell)),
    ),
    ...table.pods.map(({ cgroup, ingress, egress }) => {
      const path = Buffer.from(`${cgroup}\0`);
      if (path.length > 4096 || path.indexOf(0) < path.length - 1)
        throw wrong(`${JSON.stringify(cgroup)} is no cgroup`);
      const command = head(POD, HEAD + path.length);
      command.bytes.writeUInt32LE(ingress, 40);
      command.bytes.writeUInt32LE(egress, 44);
      path.copy(command.bytes, HEAD);
      return command;
    }),
    head(COMMIT, 40),
  ];
}

interface NumberedSet {
  number: number;
  ports: readonly NetworkPorts[];
}

/** Equal sets of ports once; an empty one is no cell. */
function numberSets({ cells }: NetworkTable): { sets: NumberedSet[]; cells: [row: number, of: number, set: number][] } {
  const sets = new Map<string, NumberedSet>();
  const numbered: [number, number, number][] = [];
  for (const { row, class: of, ports } of cells) {
    if (ports === "all") {
      numbered.push([row, of, ALL_PORTS]);
      continue;
    }
    if (ports.length === 0) continue;
    const key = ports.map(({ protocol, first, last }) => `${protocol} ${first} ${last}`).join();
    const known = sets.get(key) ?? { number: ALL_PORTS + 1 + sets.size, ports };
    sets.set(key, known);
    numbered.push([row, of, known.number]);
  }
  return { sets: [...sets.values()], cells: numbered };
}

function encodePrefix({ cidr, class: of }: NetworkTable["prefixes"][number]): Buffer {
  const { address, bits } = parsePeer(cidr);
  return Buffer.concat([address, words(bits, of)]);
}

function encodeSet({ number, ports }: NumberedSet): Buffer {
  if (ports.length > mostRanges) throw wrong(`${ports.length} ranges of ports are more than ${mostRanges}`);
  const bytes = Buffer.alloc(8 + mostRanges * 8);
  bytes.writeUInt32LE(number, 0);
  bytes.writeUInt32LE(ports.length, 4);
  ports.forEach(({ protocol, first, last }, index) => {
    const at = 8 + index * 8;
    bytes.writeUInt16LE(first, at);
    bytes.writeUInt16LE(last, at + 2);
    bytes.writeUInt8(protocol, at + 4);
  });
  return bytes;
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

function wrong(what: string): SensorError {
  return new SensorError("policy", `network policies cannot be enforced: ${what}`, {
    remedy: "Fewer, or less different policies are needed on this node.",
  });
}
