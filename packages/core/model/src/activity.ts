import { z } from "zod";

/**
 * What a process did besides beginning, ending and connecting: one shape a kind of event, under the name of the kind.
 * Paths are the kernel's, from the root of the process: links and bind mounts are seen through.
 */

const path = z.string().max(4096);
const address = z.strictObject({ ip: z.string().max(64), port: z.number().int().min(0).max(65_535) });

const fileOperations = [
  /** Opened, or read, of a file that is watched for it. */
  "read",
  /** Closed after it was open for writing, or written to the first time while it is open. */
  "write",
  "execute",
  "create",
  "remove",
  "rename",
  /** Mode, owner, times or extended attributes. */
  "attributes",
  /** It has lost its end, or all that was in it. */
  "truncate",
] as const;

export const fileActivity = z.strictObject({
  operation: z.enum(fileOperations),
  path,
  /** Of `rename`: where it is now. Empty where the new place is not watched, and for every other operation. */
  newPath: path,
  isDirectory: z.boolean(),
});

const socketOperations = ["connect", "bind", "listen", "send", "accept", "established", "closed"] as const;

export const socketActivity = z.strictObject({
  operation: z.enum(socketOperations),
  family: z.enum(["ipv4", "ipv6", "unix", "packet", "netlink", "vsock", "alg", "other"]),
  kind: z.enum(["stream", "datagram", "raw", "packet", "other"]),
  /** IANA protocol number, 0 where it is the default of family and kind; the EtherType of a packet socket. */
  protocol: z.number().int().min(0),
  local: address.nullable(),
  remote: address.nullable(),
  /** Of a Unix socket: its name, `@…` when abstract. Empty otherwise. */
  path,
});
export type SocketActivity = z.infer<typeof socketActivity>;

/** A system call that asked for a privilege, or was seen for another reason. */
export const callActivity = z.strictObject({
  /** As the kernel names it: `mount`, `setns`. */
  name: z.string().max(64),
  /** In the order of the call. Pointers of which the text is known are texts, flags and numbers are numbers. */
  arguments: z.array(z.strictObject({ name: z.string().max(32), value: path })).max(8),
  /** `CAP_SYS_ADMIN`; null where none was asked for. */
  capability: z.string().max(64).nullable(),
  /** Whether the capability was granted; null where none was asked for. Granted is not yet succeeded. */
  granted: z.boolean().nullable(),
  /** What it returned, a negative error number where it failed; null where the hook runs before its end. */
  result: z.number().nullable(),
});
export type CallActivity = z.infer<typeof callActivity>;

/** A kernel setting below /proc/sys. */
export const settingActivity = z.strictObject({
  operation: z.enum(["read", "write"]),
  /** `kernel/core_pattern` */
  name: path,
  /** Of `write`: what was written; of `read`: empty. */
  value: path,
});

export const deviceActivity = z.strictObject({
  kind: z.enum(["block", "character"]),
  major: z.number().int().min(0),
  minor: z.number().int().min(0),
  access: z.array(z.enum(["make", "read", "write"])).max(3),
});

export const signalActivity = z.strictObject({
  signal: z.number().int().min(0),
  /** Of the process that gets it, as the host sees it. */
  target: z.strictObject({ pid: z.number().int(), startTime: z.string().max(24), name: z.string().max(64) }),
});

const credentialSet = z.strictObject({
  uid: z.number().int(),
  effectiveUid: z.number().int(),
  /** Effective capabilities as 16 hexadecimal digits. */
  capabilities: z.string().max(16),
});

/** Rights that changed between two moments at which the process was seen. */
export const credentialsActivity = z.strictObject({
  before: credentialSet,
  after: credentialSet,
  /** `none`: no call and no program explains the gain. */
  cause: z.enum(["exec", "call", "user-namespace", "none"]),
});

export const dnsActivity = z.strictObject({
  /** Lower case, without the dot at the end. */
  name: z.string().max(256),
  /** `A`, `AAAA`, `TXT`, `TYPE65`. */
  kind: z.string().max(16),
  /** `NOERROR`, `NXDOMAIN`, `RCODE9`. */
  code: z.string().max(16),
  /** Addresses and names of the answer. */
  answers: z.array(z.string().max(256)).max(32),
  server: address,
});
export type DnsActivity = z.infer<typeof dnsActivity>;
