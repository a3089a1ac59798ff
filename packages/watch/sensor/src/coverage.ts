import type { ReadyRecord } from "./record.ts";

/** What is seen of a kind of event, from which hook, and what that costs. */
export interface Coverage {
  event: string;
  /** Empty: this kernel has none for it, and such events are not seen. */
  hook: string;
  sees: string;
  costs: string;
  /** Only where it is asked for (`SensorOptions`), because it costs others. */
  isAsked?: true;
}

/** README.md, "What it tells of, and from where"; the figures are those of `bench/sensor.ts`. */
const kinds: readonly Omit<Coverage, "hook">[] = [
  { event: "exec", sees: "programs of containers that begin", costs: "8 µs, with fork and exit" },
  { event: "fork", sees: "processes that are made", costs: "see exec" },
  { event: "exit", sees: "processes that end", costs: "see exec" },
  { event: "snapshot", sees: "what ran before the sensor", costs: "once, at the start" },
  { event: "connect", sees: "TCP connections, with their process", costs: "nothing elsewhere" },
  { event: "accept", sees: "TCP connections that are taken, by network namespace", costs: "nothing elsewhere" },
  { event: "listen", sees: "TCP ports that are opened", costs: "nothing elsewhere" },
  {
    event: "established",
    sees: "TCP connections that are established, where a rule asks for that",
    costs: "for connections only",
    isAsked: true,
  },
  {
    event: "closed",
    sees: "TCP connections that end, where a rule asks for that",
    costs: "for connections only",
    isAsked: true,
  },
  { event: "call", sees: "system calls that ask for a privilege", costs: "a comparison for each such question" },
  {
    event: "traced",
    sees: "system calls that ask for no right, where a rule needs them",
    costs: "0.15 to 0.2 µs for each system call of the machine",
    isAsked: true,
  },
  { event: "signal", sees: "signals of one process to another", costs: "for signals only" },
  { event: "setting", sees: "writes below /proc/sys", costs: "for such writes only" },
  { event: "device", sees: "device nodes made and opened", costs: "for such accesses only" },
  { event: "send", sees: "the first datagram to a peer in ten seconds", costs: "for datagrams only" },
  { event: "bind", sees: "local ports that are taken", costs: "for bind only" },
  {
    event: "flow",
    sees: "what containers send and receive, by peer and port",
    costs: "see bench/traffic.ts",
    isAsked: true,
  },
  { event: "dns", sees: "answers of name servers over UDP", costs: "about 0.1 µs for each packet that comes in" },
  { event: "unix", sees: "Unix sockets that are connected to, by name (Linux 6.7)", costs: "for such calls only" },
  {
    event: "write",
    sees: "files that were written, when they are closed",
    costs: "about 1 µs a file closed after writing",
  },
  { event: "read", sees: "secrets that are opened", costs: "for those files only" },
  {
    event: "library",
    sees: "shared objects that were written in a container, when they are mapped to be executed",
    costs: "for those files only",
  },
  { event: "create", sees: "files made in watched directories and in /dev", costs: "for those directories only" },
  { event: "remove", sees: "files removed from watched directories", costs: "see create" },
  { event: "rename", sees: "files renamed in watched directories", costs: "see create" },
  { event: "attributes", sees: "rights, owners and attributes changed in watched directories", costs: "see create" },
  {
    event: "truncate",
    sees: "files cut, and first writes while a file is open, in watched directories of the root file system (Linux 6.13)",
    costs: "a comparison where a file is written",
  },
];

/** Of each kind of event, by the hooks that a sensor says it has. */
export function coverageOf(hooks: ReadyRecord["hooks"]): Coverage[] {
  return kinds.map((kind) => {
    const serving = hooks.filter(({ event }) => event.split(",").includes(kind.event));
    return { ...kind, hook: [...new Set(serving.map(({ hook }) => hook))].join(", ") };
  });
}
