import { constants } from "node:os";
import { capabilityNames } from "@bulwark/model";
import type { CallRecord, ProcessRecord } from "@bulwark/sensor";
import { nanosecondsAt, numberAt, objectAt, textAt, type Json } from "../json.ts";
import { hasFlag, programStart, type Identity } from "./identity.ts";
import { wordsOf } from "./words.ts";

/** (uid_t) -1: no user, of whom it is not known. */
const noUser = 0xffff_ffff;

/** What every record says of who did it. */
export type Actor = Pick<
  CallRecord,
  | "sequence"
  | "time"
  | "pid"
  | "startTime"
  | "thread"
  | "mountNamespace"
  | "pidNamespace"
  | "networkNamespace"
  | "userNamespace"
  | "uid"
  | "effectiveUid"
  | "savedUid"
  | "capabilities"
>;

export function actorOf(process: Json, identity: Identity, time: bigint): Actor {
  return {
    sequence: 0n,
    time,
    ...identity,
    thread: numberAt(process["tid"]) ?? identity.pid,
    ...namespacesOf(process),
    ...usersOf(process),
    capabilities: capabilitiesOf(objectAt(process["cap"])["effective"]),
  };
}

/** What Tetragon does not tell is empty or 0: descriptors, session, terminal, cgroups, clone(2)'s flags. */
export function processRecord(
  type: "exec" | "snapshot",
  process: Json,
  who: { identity: Identity; parent: Identity; cgroups: string[] },
  time: bigint,
): ProcessRecord {
  const { identity, parent, cgroups } = who;
  const binary = textAt(process["binary"]);
  const { words, isCut } = wordsOf(typeof process["arguments"] === "string" ? process["arguments"] : "");
  const properties = objectAt(process["binary_properties"]);
  const credentials = objectAt(process["process_credentials"]);
  const cap = objectAt(process["cap"]);
  const users = usersOf(process);
  const setuid = numberAt(properties["setuid"]);
  return {
    type,
    sequence: 0n,
    time,
    ...identity,
    parentPid: parent.pid,
    parentStartTime: parent.startTime,
    containerPid: numberAt(objectAt(objectAt(process["pod"])["container"])["pid"]) ?? 0,
    ...namespacesOf(process),
    cgroupNamespace: inodeOf(process, "cgroup"),
    cgroups,
    ...users,
    gid: numberAt(credentials["gid"]) ?? noUser,
    loginUid: numberAt(process["auid"]) ?? noUser,
    capabilities: capabilitiesOf(cap["effective"]),
    permitted: capabilitiesOf(cap["permitted"]),
    inheritable: capabilitiesOf(cap["inheritable"]),
    session: 0,
    processGroup: 0,
    terminal: 0,
    cloneFlags: 0n,
    name: binary.slice(binary.lastIndexOf("/") + 1).slice(0, 15),
    executable: binary,
    filename: type === "exec" ? binary : "",
    interpreter: "",
    executableInode: 0n,
    executableMode: setuid === undefined ? 0 : 0o104_000,
    executableUid: setuid ?? 0,
    gainsRights: Array.isArray(properties["privileges_changed"]) && properties["privileges_changed"].length > 0,
    arguments: binary === "" ? words : [binary, ...words],
    argumentsCut: isCut || hasFlag(process, "truncArgs"),
    workingDirectory: textAt(process["cwd"]),
    origin: isMemory(binary, properties) ? "memory" : "unknown",
    kernelParent: false,
    stdio: [],
  };
}

/** Nanoseconds since boot at which something happened that the clock saw at `at`. */
export function bootTime(process: Json, identity: Identity, at: bigint): bigint {
  const began = nanosecondsAt(process["start_time"]);
  const start = programStart(process);
  return began === undefined || start === undefined ? identity.startTime : start + (at - began);
}

/** As wait(2) gives it. */
export function exitStatus(exit: Json): number {
  const number = signals.get(textAt(exit["signal"], 32)) ?? 0;
  return (((numberAt(exit["status"]) ?? 0) & 0xff) << 8) | number;
}
const signals: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));

/** `uid` is the effective one; the others are told where Tetragon runs with `--enable-process-cred`. */
function usersOf(process: Json): { uid: number; effectiveUid: number; savedUid: number } {
  const credentials = objectAt(process["process_credentials"]);
  const effectiveUid = numberAt(credentials["euid"]) ?? numberAt(process["uid"]) ?? noUser;
  return {
    uid: numberAt(credentials["uid"]) ?? effectiveUid,
    effectiveUid,
    savedUid: numberAt(credentials["suid"]) ?? effectiveUid,
  };
}

/** Told with `--enable-process-ns`. */
function namespacesOf(
  process: Json,
): Pick<Actor, "mountNamespace" | "pidNamespace" | "networkNamespace" | "userNamespace"> {
  return {
    mountNamespace: inodeOf(process, "mnt"),
    pidNamespace: inodeOf(process, "pid"),
    networkNamespace: inodeOf(process, "net"),
    userNamespace: inodeOf(process, "user"),
  };
}

function inodeOf(process: Json, name: string): number {
  return numberAt(objectAt(objectAt(process["ns"])[name])["inum"]) ?? 0;
}

function capabilitiesOf(names: unknown): bigint {
  if (!Array.isArray(names)) return 0n;
  return names.slice(0, 64).reduce<bigint>((set, name) => {
    const bit = capabilityNames.indexOf(typeof name === "string" ? name : "");
    return bit < 0 ? set : set | (1n << BigInt(bit));
  }, 0n);
}

/** A file of memfd_create(2); one that was deleted is told in the same place, and has a path. */
function isMemory(binary: string, properties: Json): boolean {
  const file = textAt(objectAt(properties["file"])["path"]);
  return [binary, file].some((path) => /^\/?memfd:/.test(path));
}
