import type { Collector, Host } from "../collector.ts";
import { matches, plainLines } from "./files.ts";

/** OpenSSH's own, sshd_config(5) of 9.2, for what no file says. Algorithms are those of Debian 12 and Ubuntu 24.04. */
const defaults: Readonly<Record<string, string>> = {
  allowgroups: "",
  allowusers: "",
  banner: "none",
  ciphers:
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com",
  clientalivecountmax: "3",
  clientaliveinterval: "0",
  denygroups: "",
  denyusers: "",
  disableforwarding: "no",
  gssapiauthentication: "no",
  hostbasedauthentication: "no",
  ignorerhosts: "yes",
  kexalgorithms:
    "sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256",
  logingracetime: "120",
  loglevel: "info",
  macs: "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1",
  maxauthtries: "6",
  maxsessions: "10",
  maxstartups: "10:30:100",
  permitemptypasswords: "no",
  permitrootlogin: "prohibit-password",
  permituserenvironment: "no",
  usepam: "no",
  x11forwarding: "no",
};
const lists = new Set(["ciphers", "kexalgorithms", "macs"]);
const depthLimit = 16;

/**
 * What sshd does by its files and defaults, in small letters: the first value that is given for a name holds, `Include`
 * is followed, and what stands below `Match` is for some only and is left out. sshd_config(5).
 */
export const ssh: Collector = {
  variables: ["ssh"],
  collect(host) {
    const installed = host.attempt("ssh.installed", () => host.root.stat("/usr/sbin/sshd") !== undefined) ?? false;
    const given: Record<string, string> = {};
    host.attempt("ssh.settings", () => readInto(host, "/etc/ssh/sshd_config", given, 0));
    const settings = { ...defaults };
    for (const [name, value] of Object.entries(given)) {
      settings[name] = lists.has(name) ? algorithms(defaults[name] ?? "", value) : value;
    }
    return { ssh: { installed, settings } };
  },
};

/** False once a `Match` was met: nothing after it holds of everybody. */
function readInto(host: Host, path: string, given: Record<string, string>, depth: number): boolean {
  if (depth > depthLimit) return true;
  for (const line of plainLines(host.root.text(path) ?? "")) {
    const [, name = "", rest = ""] = /^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    const words = wordsOf(rest);
    if (key === "match") return words.join(" ").toLowerCase() === "all";
    if (key === "include") {
      for (const pattern of words) {
        const full = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
        for (const file of full.includes("*") ? matches(host, full) : [full]) readInto(host, file, given, depth + 1);
      }
      continue;
    }
    const text = words.join(" ");
    if (key !== "") given[key] ??= key === "banner" ? text : text.toLowerCase();
  }
  return true;
}

/** As sshd splits a line: quotes of both kinds, and a word that begins with `#` ends it. misc.c, argv_split. */
function wordsOf(text: string): string[] {
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const end = words.findIndex((word) => word.startsWith("#"));
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll(/["']/g, ""));
}

/** `+a` adds to the default, `-a` takes from it, `^a` puts first. */
function algorithms(standard: string, value: string): string {
  const names = value.slice(1).split(",");
  const patterns = names.map(
    (name) => new RegExp(`^${name.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`),
  );
  if (value.startsWith("+")) return `${standard},${value.slice(1)}`;
  if (value.startsWith("^")) return `${value.slice(1)},${standard}`;
  if (!value.startsWith("-")) return value;
  return standard
    .split(",")
    .filter((name) => !patterns.some((pattern) => pattern.test(name)))
    .join(",");
}
