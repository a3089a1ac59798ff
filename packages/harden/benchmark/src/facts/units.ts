import type { Collector, Host } from "../collector.ts";
import { plainLines } from "./files.ts";
import { processesOf } from "./processes.ts";

/** systemd.unit(5): what stands first wins. */
const folders = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

interface UnitFact {
  /** `enabled`: something wants it at start; `static`: nothing can enable it; `absent`: there is no such unit. */
  state: "enabled" | "disabled" | "static" | "masked" | "absent";
  /** A process of it runs. Sockets and timers have none. */
  active: boolean;
  /** `Service.ExecStart` → the last value that its file and drop-ins give. */
  settings: Record<string, string>;
  path: string;
}

/** What systemd's files say of the units that checks name, without asking it. */
export const units: Collector = {
  variables: ["units"],
  collect(host) {
    const running = new Set(processesOf(host).map(({ unit }) => unit));
    const wanted = new Set(host.attempt("units", () => wantedUnits(host)));
    const found = host.needs.units.map((name) => {
      const fact = host.attempt(`units[${name}]`, () => unitOf(host, name, { running, wanted }));
      return [name, fact ?? { state: "absent", active: false, settings: {}, path: "" }] as const;
    });
    if (host.proc === undefined) {
      for (const name of host.needs.units) host.miss(`units[${name}].active`, "the host's processes are not seen");
    }
    return { units: Object.fromEntries(found) };
  },
};

interface Known {
  running: ReadonlySet<string>;
  wanted: ReadonlySet<string>;
}

function unitOf(host: Host, name: string, { running, wanted }: Known): UnitFact {
  const active = running.has(name);
  const folder = folders.find((one) => host.root.stat(`${one}/${name}`, { link: true }) !== undefined);
  if (folder === undefined) return { state: "absent", active, settings: {}, path: "" };
  const path = `${folder}/${name}`;
  if (host.root.link(path) === "/dev/null" || host.root.stat(path)?.size === 0) {
    return { state: "masked", active, settings: {}, path };
  }
  const settings = settingsOf(host, name, path);
  const state = wanted.has(name) ? "enabled" : isInstallable(settings) ? "disabled" : "static";
  return { state, active, settings, path };
}

function settingsOf(host: Host, name: string, path: string): Record<string, string> {
  const dropIns = folders
    .toReversed()
    .flatMap((folder) =>
      (host.root.list(`${folder}/${name}.d`) ?? [])
        .filter((file) => file.endsWith(".conf"))
        .map((file) => `${folder}/${name}.d/${file}`),
    );
  const settings: Record<string, string> = {};
  for (const file of [path, ...dropIns]) {
    let section = "";
    for (const line of plainLines((host.root.text(file) ?? "").replaceAll(/\\\n\s*/g, " "))) {
      const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
      if (header !== undefined) section = header;
      const [, key, value = ""] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key !== undefined) settings[`${section}.${key}`] = value.slice(0, 8192);
    }
  }
  return settings;
}

/** What some other unit wants or requires, such as the state that the machine starts into. */
function wantedUnits(host: Host): string[] {
  return folders.flatMap((folder) =>
    (host.root.list(folder) ?? [])
      .filter((entry) => /\.(?:wants|requires)$/.test(entry))
      .flatMap((entry) => host.root.list(`${folder}/${entry}`) ?? []),
  );
}

function isInstallable(settings: Readonly<Record<string, string>>): boolean {
  return ["WantedBy", "RequiredBy", "Alias", "Also"].some((key) => settings[`Install.${key}`] !== undefined);
}
