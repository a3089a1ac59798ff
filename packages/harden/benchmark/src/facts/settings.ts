import type { Collector, Host } from "../collector.ts";
import { matches, plainLines } from "./files.ts";

interface Format {
  /** One line as name and value; undefined for what is none. */
  pair(line: string): [string, string] | undefined;
  /** Files that are read after the first and win over it. */
  dropIns?: readonly string[];
}

const equals = (line: string): [string, string] | undefined => {
  const [, name, value] = /^([\w.-]+)\s*(?:=\s*(.*))?$/.exec(line) ?? [];
  return name === undefined ? undefined : [name.toLowerCase(), (value ?? "").replace(/^(["'])(.*)\1$/, "$2").trim()];
};
const spaces = (line: string): [string, string] | undefined => {
  const [, name, value] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
  return name === undefined ? undefined : [name.toLowerCase(), (value ?? "").trim()];
};

/** auditd's own reader stops at `name=value`: it wants words. src/auditd-config.c, nv_split. */
const apart = (line: string): [string, string] | undefined => {
  const [, name, value = ""] = /^(\w+)\s+=\s+(.*)$/.exec(line) ?? [];
  return name === undefined ? undefined : [name.toLowerCase(), value.trim()];
};

/** Forms of the files that checks may ask for; one that is not here is none that can be read. */
const formats: Readonly<Record<string, Format>> = {
  "/etc/login.defs": { pair: spaces },
  "/etc/default/useradd": { pair: equals },
  "/etc/audit/auditd.conf": { pair: apart },
  "/etc/security/faillock.conf": { pair: equals },
  "/etc/security/pwhistory.conf": { pair: equals },
  "/etc/security/pwquality.conf": { pair: equals, dropIns: ["/etc/security/pwquality.conf.d/*.conf"] },
  "/etc/systemd/journald.conf": { pair: equals, dropIns: dropIns("journald") },
  "/etc/systemd/timesyncd.conf": { pair: equals, dropIns: dropIns("timesyncd") },
  "/etc/systemd/coredump.conf": { pair: equals, dropIns: dropIns("coredump") },
  "/etc/default/ufw": { pair: equals },
  "/etc/ufw/ufw.conf": { pair: equals },
};

function dropIns(name: string): string[] {
  return ["/usr/lib", "/run", "/etc"].map((folder) => `${folder}/systemd/${name}.conf.d/*.conf`);
}

/** Names in small letters, values as text; a name without a value has an empty one. */
export const settings: Collector = {
  variables: ["settings"],
  collect(host) {
    const found = host.needs.settings.map((path) => {
      return [path, host.attempt(`settings[${path}]`, () => settingsOf(host, path)) ?? {}] as const;
    });
    return { settings: Object.fromEntries(found) };
  },
};

function settingsOf(host: Host, path: string): Record<string, string> {
  const format = formats[path];
  if (!format) throw new Error(`${path}: no format is known of it`);
  const files = [path, ...(format.dropIns ?? []).flatMap((pattern) => matches(host, pattern))];
  const lines = files.flatMap((file) => plainLines(host.root.text(file) ?? ""));
  const pairs = lines.map((line) => (line.startsWith(";") ? undefined : format.pair(line)));
  return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
}
