import { readFileSync } from "node:fs";
import { readFile, readlink, stat } from "node:fs/promises";
import type { DescriptorRecord } from "./record.ts";

/**
 * Arguments of a process that was there before the sensor: the kernel gives another process's memory to `/proc` only.
 * Empty when the process is gone.
 */
export async function argumentsOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** When a process began, in clock ticks since boot: together with its number it names it. Undefined when it is gone. */
export function startTicks(pid: number): bigint | undefined {
  const text = statOf(pid);
  const field = text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return field === undefined || field === "" ? undefined : BigInt(field);
}

function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

const nanosecondsPerTick = 10_000_000n;

/** Descriptors 0 to 2 of a living process, with both ends where they are TCP sockets. Undefined when it is gone. */
export async function stdioOf(pid: number, startTime: bigint): Promise<DescriptorRecord[] | undefined> {
  const ticks = startTicks(pid);
  if (ticks === undefined || ticks !== startTime / nanosecondsPerTick) return undefined;
  const found = await Promise.all([0, 1, 2].map(async (fd) => descriptor(pid, fd)));
  if (!found.some(({ family }) => family !== 0)) return found;
  const sockets = await tcpSockets(pid);
  return found.map((item) => ({ ...item, ...(item.family !== 0 && sockets.get(item.inode)) }));
}

async function descriptor(pid: number, fd: number): Promise<DescriptorRecord> {
  const path = `/proc/${pid}/fd/${fd}`;
  const closed: DescriptorRecord = { fd, mode: 0, inode: 0, device: 0, family: 0, state: 0, local: null, remote: null };
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return closed;
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  // Unix until one of the TCP tables says otherwise.
  if (inode !== undefined) return { ...closed, mode: 0o140_777, inode: Number(inode), family: 1 };
  const file = await stat(path).catch(() => undefined);
  return file ? { ...closed, mode: file.mode, inode: file.ino, device: file.rdev } : closed;
}

type Ends = Pick<DescriptorRecord, "family" | "state" | "local" | "remote">;

/** TCP sockets of a process's network namespace by inode. Format: Documentation/networking/proc_net_tcp.rst. */
async function tcpSockets(pid: number): Promise<Map<number, Ends>> {
  const tables = await Promise.all(
    (["tcp", "tcp6"] as const).map(async (name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  const sockets = new Map<number, Ends>();
  for (const [index, table] of tables.entries()) {
    for (const line of table.split("\n").slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || state === undefined || inode === undefined) continue;
      sockets.set(Number(inode), {
        family: index === 0 ? 2 : 10,
        state: Number.parseInt(state, 16),
        local: parseEnd(local),
        remote: parseEnd(remote),
      });
    }
  }
  return sockets;
}

/** `0100007F:1F90`: 32-bit words in host order. */
function parseEnd(text: string): { ip: string; port: number } {
  const [address = "", port = "0"] = text.split(":");
  const bytes = Buffer.from(address, "hex");
  if (bytes.length % 4 === 0) bytes.swap32();
  return { ip: bytes.length === 4 ? bytes.join(".") : ipv6(bytes), port: Number.parseInt(port, 16) };
}

function ipv6(bytes: Buffer): string {
  if (bytes.length !== 16) return "::";
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xff_ff;
  if (mapped) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
