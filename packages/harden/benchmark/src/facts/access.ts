import type { Collector, Host } from "../collector.ts";
import { matches, plainLines } from "./files.ts";

const pamFiles = ["common-auth", "common-account", "common-password", "common-session", "su"];

interface PamLine {
  type: string;
  control: string;
  module: string;
  arguments: string[];
}

/** How people are let in and what they may become: PAM and sudo. */
export const access: Collector = {
  variables: ["pam", "sudo"],
  collect(host) {
    const pam = pamFiles.map((name) => {
      const text = host.attempt(`pam[${name}]`, () => host.root.text(`/etc/pam.d/${name}`));
      return [name, plainLines((text ?? "").replaceAll("\\\n", " ")).flatMap(pamLine)] as const;
    });
    return {
      pam: Object.fromEntries(pam),
      sudo: host.attempt("sudo", () => sudoOf(host)) ?? {},
    };
  },
};

/** `auth [success=1 default=ignore] pam_unix.so nullok` */
function pamLine(line: string): PamLine[] {
  const [, type, control = "", module = "", rest = ""] = /^-?(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
  if (type === undefined || type.startsWith("@")) return [];
  return [{ type, control, module, arguments: rest.split(/\s+/).filter(Boolean) }];
}

interface SudoFacts {
  installed: boolean;
  /** `use_pty`, `timestamp_timeout=15`: each of every `Defaults` that holds of all. */
  defaults: string[];
  /** Every other line. */
  rules: string[];
}

function sudoOf(host: Host): SudoFacts {
  const paths = ["/etc/sudoers", ...matches(host, "/etc/sudoers.d/*").filter((path) => !/[.~][^/]*$/.test(path))];
  const lines = paths.flatMap((path) => plainLines((host.root.text(path) ?? "").replaceAll("\\\n", " ")));
  const defaults = lines.flatMap((line) => /^Defaults\s+(.*)$/.exec(line)?.[1] ?? []);
  return {
    installed: host.root.stat("/usr/bin/sudo") !== undefined,
    defaults: defaults.flatMap((line) => line.match(/(?:[^,"]|"[^"]*")+/g) ?? []).map((one) => one.trim()),
    rules: lines.filter((line) => !/^(?:Defaults|@include|\w+_Alias)/.test(line)),
  };
}
