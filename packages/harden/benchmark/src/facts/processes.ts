import { basename } from "node:path";
import type { Collector, Host } from "../collector.ts";
import { RootError } from "../root.ts";

export interface ProcessFact {
  pid: number;
  /** Of the program that runs: `kube-apiserver`. */
  name: string;
  arguments: string[];
  /** Effective. */
  uid: number;
  /** The last part of its control group: `docker.service`. */
  unit: string;
}

const processLimit = 50_000;
const known = new WeakMap<Host, ProcessFact[]>();

/** Every process with its arguments; kernel threads have none and are left out. */
export const processes: Collector = {
  variables: ["processes"],
  collect: (host) => ({ processes: processesOf(host) }),
};

/** Read once a host. Empty, and said to be missing, where the host's processes are not seen. */
export function processesOf(host: Host): ProcessFact[] {
  const before = known.get(host);
  if (before) return before;
  const names = host.proc === undefined ? undefined : host.attempt("processes", () => host.root.list("/proc"));
  if (!names) host.miss("processes", "the host's processes are not seen");
  const pids = (names ?? []).filter((name) => /^\d+$/.test(name)).slice(0, processLimit);
  const found = pids.flatMap((pid) => processOf(host, pid));
  known.set(host, found);
  return found;
}

/** Processes end while they are looked at: what has gone is not there. */
function processOf(host: Host, pid: string): ProcessFact[] {
  try {
    const words = host.root.text(`/proc/${pid}/cmdline`)?.split("\0");
    if (!words || (words.length <= 1 && words[0] === "")) return [];
    if (words.at(-1) === "") words.pop();
    const status = host.root.text(`/proc/${pid}/status`) ?? "";
    const cgroup = host.root.text(`/proc/${pid}/cgroup`) ?? "";
    return [
      {
        pid: Number(pid),
        name: basename(words[0]?.split(" ")[0] ?? ""),
        arguments: words.slice(0, 512).map((word) => word.slice(0, 8192)),
        uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? -1),
        unit: basename(cgroup.split("\n").find((line) => /\.(?:service|scope)$/.test(line)) ?? ""),
      },
    ];
  } catch (error) {
    if (error instanceof RootError) return [];
    throw error;
  }
}

/** `--a=b`, `--a b` and a bare `--a` (`true`); the last of a name counts, as Go's flags do. */
export function flagsOf(words: readonly string[]): Record<string, string> {
  const flags: Record<string, string> = {};
  for (let at = 1; at < words.length; at++) {
    const [, name, value] = /^--?([A-Za-z][\w.-]*)(?:=([\s\S]*))?$/.exec(words[at] ?? "") ?? [];
    if (name === undefined) continue;
    const next = words[at + 1];
    if (value === undefined && next !== undefined && !next.startsWith("-")) {
      flags[name] = next;
      at++;
    } else {
      flags[name] = value ?? "true";
    }
  }
  return flags;
}
