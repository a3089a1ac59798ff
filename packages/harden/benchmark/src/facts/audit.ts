import type { Collector, Host } from "../collector.ts";
import { matches, plainLines } from "./files.ts";

/** One rule that has something written down. A watch (`-w`) is one of a path; auditctl(8) calls them the same. */
interface AuditRule {
  /** `b64`, `b32`; empty where the rule says nothing. */
  arch: string;
  /** System calls by name; `all` is one. */
  calls: string[];
  /** Of a file, or of a folder with all below it, without a slash at the end and with /run for /var/run. */
  path: string;
  /** Of `rwxa`, in this order. */
  permissions: string;
  /** `auid>=1000`, `exit=-EACCES`, `euid!=uid`: what has to hold besides. */
  fields: string[];
}

interface AuditFacts {
  rules: AuditRule[];
  /** 2: no rule changes until the machine starts again. -1 where no file says. */
  enabled: number;
}

/** The rules of the kernel's audit, by the files that augenrules(8) puts together. */
export const audit: Collector = {
  variables: ["audit"],
  collect(host) {
    return { audit: host.attempt("audit", () => auditOf(host)) ?? {} };
  },
};

function auditOf(host: Host): AuditFacts {
  const paths = matches(host, "/etc/audit/rules.d/*.rules");
  const lines = paths.flatMap((path) => plainLines(host.root.text(path) ?? "")).map((line) => line.split(/\s+/));
  const rules = lines.flatMap(ruleOf);
  const enabled = lines.findLast(([option]) => option === "-e")?.[1];
  return { rules, enabled: enabled === undefined || !/^[012]$/.test(enabled) ? -1 : Number(enabled) };
}

/** `-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -k perm_mod`, `-w /etc/passwd -p wa -k identity`. */
function ruleOf(words: readonly string[]): AuditRule[] {
  const rule: AuditRule = { arch: "", calls: [], path: "", permissions: "", fields: [] };
  let writes = false;
  for (let at = 0; at + 1 < words.length; at += 2) {
    const option = words[at];
    const value = words[at + 1] ?? "";
    if (option === "-a" || option === "-A") writes = value.split(",").toSorted().join() === "always,exit";
    else if (option === "-w") writes = true;
    if (option === "-w") rule.path = plainPath(value);
    else if (option === "-p") rule.permissions = inOrder(value);
    else if (option === "-S") rule.calls.push(...value.split(",").filter(Boolean));
    else if (option === "-C") rule.fields.push(value);
    else if (option === "-F") addField(rule, value);
  }
  if (!writes) return [];
  return [rule.path !== "" && rule.permissions === "" ? { ...rule, permissions: "rwxa" } : rule];
}

function addField(rule: AuditRule, field: string): void {
  const [, name, value = ""] = /^(arch|path|dir|perm|key)=(.*)$/.exec(field) ?? [];
  if (name === undefined) rule.fields.push(field);
  else if (name === "arch") rule.arch = value;
  else if (name === "perm") rule.permissions = inOrder(value);
  else if (name !== "key") rule.path = plainPath(value);
}

function plainPath(path: string): string {
  return path.replace(/^\/var\/run\//, "/run/").replace(/(?<=.)\/+$/, "");
}

function inOrder(letters: string): string {
  return [..."rwxa"].filter((letter) => letters.includes(letter)).join("");
}
