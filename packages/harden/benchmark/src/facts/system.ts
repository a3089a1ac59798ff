import type { Collector, Host } from "../collector.ts";

/** The distribution, whether systemd runs it, what dpkg has installed, and AppArmor. */
export const system: Collector = {
  variables: ["os", "systemd", "packages", "apparmor"],
  collect(host) {
    return {
      os: osOf(host),
      systemd: host.attempt("systemd", () => host.root.stat("/run/systemd/system") !== undefined) ?? false,
      packages: packagesOf(host),
      apparmor: apparmorOf(host),
    };
  },
};

function osOf(host: Host): { id: string; version: string; name: string } {
  const text = host.attempt("os", () => host.root.text("/etc/os-release") ?? host.root.text("/usr/lib/os-release"));
  const fields = new Map(
    (text ?? "").split("\n").flatMap((line) => {
      const [, name, value = ""] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, "$2")] as const];
    }),
  );
  if (fields.size === 0) host.miss("os", "no os-release says which distribution it is");
  return { id: fields.get("ID") ?? "", version: fields.get("VERSION_ID") ?? "", name: fields.get("PRETTY_NAME") ?? "" };
}

/** Versions by name of what is installed. dpkg's own state words, dpkg-query(1): only the third says that it is there. */
function packagesOf(host: Host): Record<string, string> {
  const text = host.attempt("packages", () => host.root.text("/var/lib/dpkg/status"));
  if (text === undefined) {
    host.miss("packages", "the system has no package database of dpkg");
    return {};
  }
  const found = text.split(/\n\n+/).flatMap((paragraph) => {
    const name = /^Package: (.*)$/m.exec(paragraph)?.[1];
    const version = /^Version: (.*)$/m.exec(paragraph)?.[1];
    const state = /^Status: \S+ \S+ (\S+)$/m.exec(paragraph)?.[1];
    return name !== undefined && version !== undefined && state === "installed" ? [[name, version] as const] : [];
  });
  return Object.fromEntries(found);
}

interface AppArmor {
  enabled: boolean;
  profiles: { name: string; mode: string }[];
}

function apparmorOf(host: Host): AppArmor {
  const enabled = host.attempt("apparmor.enabled", () => host.root.text("/sys/module/apparmor/parameters/enabled"));
  const on = enabled?.trim() === "Y";
  const text = host.attempt("apparmor.profiles", () => host.root.text("/sys/kernel/security/apparmor/profiles"));
  if (on && text === undefined) host.miss("apparmor.profiles", "securityfs is not mounted");
  const profiles = (text ?? "").split("\n").flatMap((line) => {
    const [, name, mode = ""] = /^(.*) \((\w+)\)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, mode }];
  });
  return { enabled: on, profiles };
}
