import { readFileSync, statSync } from "node:fs";

/** The network that a process is in. */
export interface ProcessNetwork {
  /** Inode of its network namespace. */
  readonly namespace: number;
  /** Addresses that are its own there, but for those of loopback and of the link. */
  readonly addresses: readonly string[];
}

/** proc(5): a node of the routing trie, then what it is for. */
const local = /\|-- (\d+\.\d+\.\d+\.\d+)\n +\/32 host LOCAL/g;
const most = 256;

/** From /proc, as the host sees it: nothing is entered. Undefined where the process has ended. */
export function networkOf(pid: number): ProcessNetwork | undefined {
  try {
    const namespace = statSync(`/proc/${pid}/ns/net`).ino;
    const v4 = [...readFileSync(`/proc/${pid}/net/fib_trie`, "utf8").matchAll(local)].map(([, ip = ""]) => ip);
    return { namespace, addresses: [...new Set([...v4, ...globalV6(pid)])].filter(isOwn).slice(0, most) };
  } catch {
    return undefined;
  }
}

/** The network namespace of the machine itself, or the own one where that is not to be seen. */
export function hostNetwork(): number {
  for (const pid of ["1", "self"]) {
    try {
      return statSync(`/proc/${pid}/ns/net`).ino;
    } catch {
      // Closed to us: in a container without the host's processes.
    }
  }
  return 0;
}

/** proc(5), if_inet6: 32 hexadecimal digits, index, length, scope (0 is global), flags, name. Absent without IPv6. */
function globalV6(pid: number): string[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/if_inet6`, "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ 00 /gm)].map(([, digits = ""]) => {
    const groups = digits.match(/.{4}/g) ?? [];
    // As the sensor writes it: RFC 5952.
    return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  });
}

function isOwn(ip: string): boolean {
  return !ip.startsWith("127.");
}
