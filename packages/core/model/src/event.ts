import { z } from "zod";
import {
  callActivity,
  credentialsActivity,
  deviceActivity,
  dnsActivity,
  fileActivity,
  settingActivity,
  signalActivity,
  socketActivity,
} from "./activity.ts";
import { auditRecord } from "./audit-record.ts";
import { nodeId } from "./agent.ts";
import { containerRef } from "./container.ts";

/** One end of a connection. */
export const socketAddress = z.strictObject({
  ip: z.string().max(64),
  port: z.number().int().min(0).max(65_535),
});
export type SocketAddress = z.infer<typeof socketAddress>;

/** What a descriptor is connected to. */
export const descriptor = z.strictObject({
  fd: z.number().int().min(0),
  kind: z.enum(["closed", "file", "directory", "null", "terminal", "device", "pipe", "inet", "unix", "other"]),
  /** Inode number: equal numbers are the same pipe or socket. 0 where unknown. */
  inode: z.number().int().min(0),
  /** Only for `inet`. */
  local: socketAddress.nullable(),
  remote: socketAddress.nullable(),
});
export type Descriptor = z.infer<typeof descriptor>;

/** Where the bytes of an executable come from. */
export const fileOrigins = ["image", "writable-layer", "memory", "mount", "unknown"] as const;
export const fileOrigin = z.enum(fileOrigins);
export type FileOrigin = z.infer<typeof fileOrigin>;

/** A process at the time of the event. All ids as the host sees them. */
export const process = z.strictObject({
  pid: z.number().int(),
  /** Process id inside the container's own PID namespace. */
  containerPid: z.number().int(),
  parentPid: z.number().int(),
  /** Nanoseconds since boot at which the process began; with `pid` it names a process for good. Decimal digits. */
  startTime: z.string().max(24),
  /** Kernel's short name, at most 15 bytes. */
  name: z.string().max(64),
  /** Path of the executable inside the container's root. */
  executable: z.string().max(4096),
  arguments: z.array(z.string().max(4096)).max(256),
  /** True when the kernel or the limits above cut the arguments. */
  argumentsCut: z.boolean(),
  workingDirectory: z.string().max(4096),
  uid: z.number().int(),
  gid: z.number().int(),
  effectiveUid: z.number().int(),
  /** Effective capabilities as 16 hexadecimal digits. */
  capabilities: z.string().max(16),
  origin: fileOrigin,
  /** Descriptors 0, 1 and 2. */
  stdio: z.array(descriptor).max(3),
});
export type Process = z.infer<typeof process>;

/** What alerts and events keep of a parent: nearest first. */
export const ancestor = z.strictObject({
  pid: z.number().int(),
  startTime: z.string().max(24),
  name: z.string().max(64),
  executable: z.string().max(4096),
  arguments: z.array(z.string().max(4096)).max(256),
  uid: z.number().int(),
});
export type Ancestor = z.infer<typeof ancestor>;

/** What a process does: its life and its connections. */
export const processEventKinds = ["exec", "exit", "connect"] as const;
export type ProcessEventKind = (typeof processEventKinds)[number];
/** What it does besides: one property of that name says what. */
export const activityKinds = ["file", "socket", "dns", "call", "setting", "device", "signal", "credentials"] as const;
export type ActivityKind = (typeof activityKinds)[number];
export const eventKinds = [...processEventKinds, ...activityKinds, "audit"] as const;
export const eventKind = z.enum(eventKinds);
export type EventKind = z.infer<typeof eventKind>;

/** `unknown` is said, never guessed: no runtime named the process's cgroup while the event waited. */
export const attribution = z.enum(["container", "host", "unknown"]);
export type Attribution = z.infer<typeof attribution>;

/** What every event of a process has. */
const ofProcess = z.strictObject({
  /** `<node>/<boot>/<sequence>`: the same event has the same id, however often it is sent. */
  id: z.string().max(512),
  /** Milliseconds since the epoch, from the kernel's clock. */
  time: z.number().int(),
  node: nodeId,
  attribution,
  container: containerRef.nullable(),
  process,
  ancestors: z.array(ancestor).max(32),
});

/** One thing that a process did. */
export const processEvent = ofProcess.extend({
  kind: z.enum(processEventKinds),
  /** `exit`: the status as wait(2) gives it. */
  exitCode: z.number().int().nullable(),
  /** Only for `connect`. */
  connection: z.strictObject({ protocol: z.literal("tcp"), local: socketAddress, remote: socketAddress }).nullable(),
});
export type ProcessEvent = z.infer<typeof processEvent>;

const activityEvents = [
  ofProcess.extend({ kind: z.literal("file"), file: fileActivity }),
  ofProcess.extend({ kind: z.literal("socket"), socket: socketActivity }),
  ofProcess.extend({ kind: z.literal("dns"), dns: dnsActivity }),
  ofProcess.extend({ kind: z.literal("call"), call: callActivity }),
  ofProcess.extend({ kind: z.literal("setting"), setting: settingActivity }),
  ofProcess.extend({ kind: z.literal("device"), device: deviceActivity }),
  ofProcess.extend({ kind: z.literal("signal"), signal: signalActivity }),
  ofProcess.extend({ kind: z.literal("credentials"), credentials: credentialsActivity }),
] as const;
/** One thing that a process did, with the kind's own property. */
export const activityEvent = z.discriminatedUnion("kind", activityEvents);
export type ActivityEvent = z.infer<typeof activityEvent>;

/** One thing that somebody asked of a Kubernetes API server. */
export const auditEvent = z.strictObject({
  /** `<cluster>/audit/<auditID>/<stage>`: a record that comes twice, by webhook and by file, is one event. */
  id: z.string().max(512),
  time: z.number().int(),
  /** Where the log was read; `server` when the API server sent it. */
  node: nodeId,
  kind: z.literal("audit"),
  audit: auditRecord,
});
export type AuditEvent = z.infer<typeof auditEvent>;

export const event = z.discriminatedUnion("kind", [processEvent, ...activityEvents, auditEvent]);
export type Event = z.infer<typeof event>;
