import { auditRuleEvent } from "../audit/event.ts";
import type { FieldValue, RuleEvent } from "../event.ts";
import { domainsOf } from "../fields/domains.ts";

/** An event written down: fields and their values, or a whole Kubernetes audit record under `audit`. */
export type WrittenEvent = Readonly<Record<string, unknown>>;

/**
 * The event that was written down. What follows from other fields need not be written: the command line from name and
 * arguments, folder and file name from a path, both ends of a connection from the server's. A process runs as root in a
 * container unless it says otherwise.
 */
export function writtenEvent(written: WrittenEvent): RuleEvent {
  if (written["audit"] !== undefined) return auditRuleEvent(written["audit"]);
  const fields = new Map<string, FieldValue>();
  for (const [name, value] of Object.entries(written)) fields.set(name, fieldValue(value));
  for (const derive of derivations) derive(fields);
  return {
    source: "syscall",
    type: String(fields.get("evt.type") ?? ""),
    get: (field, argument) => read(fields, field, argument),
  };
}

function read(fields: ReadonlyMap<string, FieldValue>, field: string, argument?: string): FieldValue {
  if (argument === undefined) return fields.get(field);
  const told = fields.get(`${field}[${argument}]`) ?? fields.get(`${field}.${argument}`);
  if (told !== undefined) return told;
  // `proc.aname: [sh, nginx]`: the parent is number 1.
  const all = fields.get(field);
  return Array.isArray(all) && /^\d+$/.test(argument) ? (all as readonly string[])[Number(argument) - 1] : undefined;
}

function fieldValue(value: unknown): FieldValue {
  if (Array.isArray(value)) return value.map((item) => (typeof item === "number" ? item : String(item)));
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value === null || value === undefined ? undefined : JSON.stringify(value);
}

type Fields = Map<string, FieldValue>;

const derivations: readonly ((fields: Fields) => void)[] = [
  (fields) => {
    usual(fields, "evt.res", "SUCCESS");
    usual(fields, "evt.rawres", 0);
    usual(fields, "evt.failed", fields.get("evt.res") !== "SUCCESS");
    usual(fields, "syscall.type", fields.get("evt.type"));
    usual(fields, "user.uid", 0);
    usual(fields, "user.name", fields.get("user.uid") === 0 ? "root" : undefined);
    usual(fields, "proc.tty", 0);
  },
  (fields) => {
    usual(fields, "container.id", "0123456789ab");
    if (fields.get("container.id") === "host") return;
    usual(fields, "container.image.repository", "registry.example/app");
    usual(fields, "container.privileged", false);
  },
  (fields) => {
    const [name, words] = [fields.get("proc.name"), fields.get("proc.args")];
    if (name !== undefined)
      usual(fields, "proc.cmdline", words === undefined ? name : `${String(name)} ${String(words)}`);
    usual(fields, "proc.exe", fields.get("proc.exepath") ?? name);
    const above = fields.get("proc.aname");
    if (Array.isArray(above)) usual(fields, "proc.pname", (above as readonly string[])[0]);
    usual(fields, "proc.pcmdline", fields.get("proc.pname"));
  },
  (fields) => {
    const flags = fields.get("evt.arg.flags");
    if (!/^(?:open|openat|openat2|creat)$/.test(String(fields.get("evt.type"))) || typeof flags !== "string") return;
    usual(fields, "evt.is_open_write", /O_WRONLY|O_RDWR/.test(flags));
    usual(fields, "evt.is_open_read", /O_RDONLY|O_RDWR/.test(flags));
    usual(fields, "evt.is_open_create", /O_CREAT/.test(flags));
  },
  (fields) => {
    const name = fields.get("bulwark.dns.name");
    if (typeof name === "string") usual(fields, "bulwark.dns.domain", domainsOf(name));
  },
  (fields) => {
    const path = fields.get("fd.name");
    if (typeof path !== "string" || fields.has("fd.sip")) return;
    const slash = path.lastIndexOf("/");
    usual(fields, "fd.directory", slash === 0 ? "/" : path.slice(0, slash));
    usual(fields, "fd.filename", path.slice(slash + 1));
    usual(fields, "fd.nameraw", path);
    usual(fields, "fd.type", "file");
    usual(fields, "fd.typechar", "f");
    usual(fields, "fd.num", 3);
  },
  (fields) => {
    const [server, port] = [fields.get("fd.sip"), fields.get("fd.sport")];
    if (typeof server !== "string") return;
    const isIpv6 = server.includes(":");
    const client = fields.get("fd.cip") ?? (isIpv6 ? "fd00::2" : "172.17.0.2");
    usual(fields, "fd.type", isIpv6 ? "ipv6" : "ipv4");
    usual(fields, "fd.typechar", isIpv6 ? "6" : "4");
    usual(fields, "fd.l4proto", "tcp");
    usual(fields, "fd.cip", client);
    usual(fields, "fd.ip", [String(client), server]);
    usual(fields, "fd.net", [String(client), server]);
    usual(fields, "fd.snet", server);
    usual(fields, "fd.rip", server);
    usual(fields, "fd.rnet", server);
    usual(fields, "fd.rport", port);
    usual(fields, "fd.num", 3);
    usual(fields, "fd.name", `${String(client)}:40000->${server}:${String(port)}`);
  },
];

function usual(fields: Fields, name: string, value: FieldValue): void {
  if (!fields.has(name) && value !== undefined) fields.set(name, value);
}
