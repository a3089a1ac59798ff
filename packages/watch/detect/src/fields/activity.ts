import { constants } from "node:fs";
import { posix } from "node:path";
import type { FieldValue } from "@bulwark/rules";
import type { CallRecord, DeviceRecord, FileRecord, SettingRecord, SocketRecord } from "@bulwark/sensor";
import { argumentNames } from "@bulwark/sensor";
import type { Observation } from "../detector.ts";
import { addressText } from "../process-table.ts";
import { argumentText, openFlagsText, socketDomain } from "./arguments.ts";

/** The system call that an observation comes to, and what is known of it: arguments as `evt.arg.NAME`. */
export interface Told {
  readonly type: string;
  /** What it returned; 0 where that is not known. */
  readonly result: number;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/** Types that activities come to, besides the names of system calls that are told by themselves. */
export const activityTypes: ReadonlySet<string> = new Set([
  ...["execve", "clone", "procexit", "connect", "openat", "mkdirat", "rmdir", "unlinkat", "renameat", "fchmodat"],
  ...["truncate", "ftruncate", "mknod", "socket", "bind", "listen", "sendto", "dns", "established", "closed", "kill"],
]);

/** Undefined for what rules have no word for: a look at descriptors. */
export function activityFields(observation: Observation): Told | undefined {
  const { record } = observation;
  switch (record?.type) {
    case "exec":
      return told("execve", { "evt.arg.filename": record.filename, "evt.arg.exe": record.arguments[0] });
    case "fork":
      return told("clone", { "evt.arg.flags": argumentText("clone", "flags", record.cloneFlags) });
    case "exit":
      return told("procexit", { "evt.arg.status": String(record.exitCode) });
    case "connect":
      return told("connect", connection(record.local, record.remote, "tcp"));
    case "file":
      return ofFile(record);
    case "setting":
      return ofSetting(record);
    case "device":
      return ofDevice(record);
    case "socket":
      return ofSocket(record);
    case "call":
      return ofCall(record);
    case "dns":
      // No system call, and Falco has no word for it: its fields are our own.
      return told("dns", {
        ...connection(record.client, record.server, record.protocol === "TCP" ? "tcp" : "udp"),
        "evt.arg.name": record.name,
      });
    case "signal":
      return told("kill", { "evt.arg.sig": String(record.signal), "evt.arg.pid": String(record.target.pid) });
    default:
      return undefined;
  }
}

type Fields = Record<string, FieldValue>;

function told(type: string, fields: Fields, result = 0): Told {
  return { type, result, fields };
}

/** What rules ask of a file by its path. */
function named(path: string): Fields {
  const slash = path.lastIndexOf("/");
  return {
    "fd.name": path,
    "fd.nameraw": path,
    "fd.directory": slash === 0 ? "/" : path.slice(0, slash),
    "fd.filename": path.slice(slash + 1),
    "fd.type": "file",
    "fd.typechar": "f",
    "fs.path.name": path,
    "evt.arg.name": path,
    "bulwark.fd.foreign": path.startsWith("(unreachable)"),
  };
}

/** A file that was opened. Its descriptor is not known: rules only ask whether there is one. */
function opened(path: string, access: "read" | "write", flags: string, more: Fields = {}): Told {
  return told("openat", {
    ...named(path),
    "fd.num": 0,
    "evt.arg.flags": flags,
    "evt.is_open_read": access === "read",
    "evt.is_open_write": access === "write",
    ...more,
  });
}

function ofFile({ operation, path, newPath, isDirectory, isByDescriptor, inode }: FileRecord): Told | undefined {
  const paths = { "fs.path.name": path, "evt.arg.name": path, "evt.arg.path": path };
  const more = { "fd.ino": Number(inode) };
  switch (operation) {
    case "read":
      return opened(path, "read", "O_RDONLY", more);
    case "write":
      return opened(path, "write", "O_WRONLY", more);
    case "create":
      if (isDirectory) return told("mkdirat", paths);
      return opened(path, "write", "O_WRONLY|O_CREAT", { ...more, "evt.is_open_create": true });
    case "remove":
      return told(isDirectory ? "rmdir" : "unlinkat", paths);
    case "rename": {
      const target = newPath === "" ? undefined : newPath;
      const both = { "fs.path.source": path, "fs.path.target": target };
      return told("renameat", { ...both, "evt.arg.oldpath": path, "evt.arg.newpath": target });
    }
    case "attributes":
      return told("fchmodat", { ...paths, "fd.name": path, "evt.arg.filename": path });
    case "truncate":
      return told(isByDescriptor === true ? "ftruncate" : "truncate", { ...paths, "fd.name": path });
    case "execute":
      // The exec record tells more.
      return undefined;
  }
}

/** As a file below /proc/sys, which it is. */
function ofSetting({ operation, name, value }: SettingRecord): Told {
  const path = `/proc/sys/${name}`;
  const flags = operation === "write" ? "O_WRONLY" : "O_RDONLY";
  return opened(path, operation, flags, operation === "write" ? { "evt.arg.data": value } : {});
}

/** Devices are told by number: they are named as udev does, /dev/block/8:0. */
function ofDevice({ kind, major, minor, access }: DeviceRecord): Told {
  const number = `${major}:${minor}`;
  if (access.includes("make")) {
    return told("mknod", { "evt.arg.mode": kind === "block" ? "S_IFBLK" : "S_IFCHR", "evt.arg.dev": number });
  }
  const path = `/dev/${kind === "block" ? "block" : "char"}/${number}`;
  const isWrite = access.includes("write");
  return opened(path, isWrite ? "write" : "read", isWrite ? "O_RDWR" : "O_RDONLY", {
    "evt.is_open_read": access.includes("read"),
  });
}

function ofSocket({ operation, family, kind, local, remote, path }: SocketRecord): Told | undefined {
  const protocol = { 1: "tcp", 2: "udp", 3: "raw" }[kind] ?? "other";
  const domain = { "evt.arg.domain": socketDomain(family) };
  if (family === 1) {
    const unix = {
      ...domain,
      "fd.num": 0,
      "fd.type": "unix",
      "fd.typechar": "u",
      "fd.name": path,
      "fd.sockfamily": "unix",
    };
    return operation === "connect" || operation === "bind" || operation === "listen"
      ? told(operation, unix)
      : undefined;
  }
  switch (operation) {
    case "bind":
    case "listen": {
      const own = local && { "fd.lip": local.ip, "fd.sip": local.ip, "fd.lport": local.port, "fd.sport": local.port };
      const type = family === 2 ? "ipv4" : family === 10 ? "ipv6" : undefined;
      return told(operation, {
        ...domain,
        ...own,
        "fd.num": 0,
        "fd.type": type,
        "fd.l4proto": protocol,
        "fd.is_server": true,
      });
    }
    case "send": {
      if (!local || !remote) return undefined;
      // The first datagram to a peer: the socket has just got its other end.
      const fresh = { "fd.connected": false, "fd.name_changed": true };
      return told("sendto", { ...domain, ...connection(local, remote, protocol), ...fresh });
    }
    case "connect": {
      // Of TCP there is a record of its own; this one is of another protocol, or of one that was not told.
      const any = { ip: remote?.ip.includes(":") === true ? "::" : "0.0.0.0", port: 0 };
      return remote ? told("connect", { ...domain, ...connection(local ?? any, remote, protocol) }) : undefined;
    }
    case "established":
    case "closed":
      // No system calls: the kernel does both when the peer has answered.
      return local && remote ? told(operation, { ...domain, ...connection(local, remote, protocol) }) : undefined;
  }
}

interface Address {
  readonly ip: string;
  readonly port: number;
}

/** Both ends, where the process is the client. */
function connection(local: Address, remote: Address, protocol: string): Fields {
  const isIpv6 = remote.ip.includes(":");
  return {
    "fd.num": 0,
    "fd.type": isIpv6 ? "ipv6" : "ipv4",
    "fd.typechar": isIpv6 ? "6" : "4",
    "fd.sockfamily": "ip",
    "fd.l4proto": protocol,
    "fd.name": `${addressText(local)}->${addressText(remote)}`,
    "fd.is_server": false,
    "fd.ip": [local.ip, remote.ip],
    "fd.net": [local.ip, remote.ip],
    "fd.port": [local.port, remote.port],
    ...side("c", local),
    ...side("l", local),
    ...side("s", remote),
    ...side("r", remote),
  };
}

function side(letter: string, { ip, port }: Address): Fields {
  return { [`fd.${letter}ip`]: ip, [`fd.${letter}net`]: ip, [`fd.${letter}port`]: port };
}

/** Falco calls some arguments differently; both names are known. */
const alsoNamed: Readonly<Record<string, string>> = {
  "mount.source": "dev",
  "mount.target": "dir",
  "socket.family": "domain",
  "ptrace.address": "addr",
  "bpf.command": "cmd",
  "setns.flags": "nstype",
};

function ofCall(record: CallRecord): Told {
  const { name, arguments: values, texts, result, granted, socket } = record;
  const fields: Fields = { "bulwark.evt.refused": granted === false };
  argumentNames(name).forEach((parameter, index) => {
    const value = values[index] ?? 0n;
    const shown = texts[index] ?? argumentText(name, parameter, value);
    fields[`evt.arg.${parameter}`] = shown;
    fields[`evt.rawarg.${parameter}`] = Number(value);
    const other = alsoNamed[`${name}.${parameter}`];
    if (other !== undefined) fields[`evt.arg.${other}`] = shown;
  });
  const { local = null, remote = null } = socket ?? {};
  if (local && remote) Object.assign(fields, connection(local, remote, "tcp"), { "fd.num": result ?? 0 });
  if (/^open(?:at2?)?$/.test(name)) Object.assign(fields, ofOpen(record, texts[name === "open" ? 0 : 1] ?? ""));
  // EPERM, where the capability was refused and no more is known.
  return { type: name, result: result ?? (granted === false ? -1 : 0), fields };
}

const S_IFMT = 0o170_000;
const S_IFREG = 0o100_000;
const S_IFDIR = 0o040_000;
const fileTypes: Readonly<Record<number, Fields>> = {
  [S_IFDIR]: { "fd.type": "directory", "fd.typechar": "d" },
  [S_IFREG]: { "fd.type": "file", "fd.typechar": "f" },
};

/** Where a file is that is opened with a right that few have is not known; of a call that is traced it is. */
function ofOpen({ opened: file, result }: CallRecord, written: string): Fields {
  if (!file) return { "fd.nameraw": written };
  const isThere = result !== null && result >= 0;
  const access = file.flags & 3;
  return {
    // A name is followed where it leads; of one that leads nowhere, where it would.
    ...named(isThere ? file.place : posix.resolve(file.place, written)),
    ...(isThere && (fileTypes[file.mode & S_IFMT] ?? { "fd.type": "other", "fd.typechar": "o" })),
    "fd.nameraw": written,
    "fs.path.nameraw": written,
    "fd.num": isThere ? result : -1,
    "evt.arg.flags": openFlagsText(file.flags),
    "evt.is_open_read": access !== constants.O_WRONLY,
    "evt.is_open_write": access !== constants.O_RDONLY,
  };
}
