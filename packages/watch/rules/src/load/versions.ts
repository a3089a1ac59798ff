import type { Item } from "./item.ts";

/** What rule files may ask for. Source: Falco 0.44, `falco_engine_version.h`. */
const engineVersion: Version = [0, 62, 0];

/** Plugins whose fields and sources are built in, by name. */
export type Plugins = ReadonlyMap<string, Version>;
type Version = readonly [major: number, minor: number, patch: number];

export const builtInPlugins: Plugins = new Map<string, Version>([
  ["container", [0, 6, 0]],
  ["k8smeta", [0, 4, 0]],
  ["k8saudit", [0, 16, 0]],
  ["json", [0, 7, 3]],
]);

export function checkEngineVersion(item: Item): void {
  const { text } = item.needed("required_engine_version", "write required_engine_version: 0.57.0");
  const node = item.value("required_engine_version");
  // Before versions with dots, a number N was what is 0.N.0 now.
  const wanted = /^\d+$/.test(text) ? ([0, Number(text), 0] as const) : parse(text);
  if (!wanted) throw item.error(node, `${text} is no version`, "write it as 0.57.0");
  if (isEnough(engineVersion, wanted)) return;
  const message = `the file asks for engine ${text}; this one is ${engineVersion.join(".")}`;
  throw item.error(node, message, "use the rule file of an older release", "LOAD_ERR_VALIDATE");
}

export function checkPluginVersions(item: Item, plugins: Plugins): void {
  for (const entry of item.maps("required_plugin_versions") ?? []) {
    const first = requirement(entry);
    const others = (entry.maps("alternatives") ?? []).map(requirement);
    const all = [first, ...others];
    const names = all.map(({ name }) => name);
    if (new Set(names).size < names.length) {
      throw entry.error(entry.node, "names a plugin twice", "one version of each plugin", "LOAD_ERR_VALIDATE");
    }
    const isThere = all.some(({ name, version }) => {
      const known = plugins.get(name);
      return known && isEnough(known, version);
    });
    if (isThere) continue;
    const wanted = all.map(({ name, version }) => `${name} ${version.join(".")}`).join(" or ");
    const has = [...plugins].map(([name, version]) => `${name} ${version.join(".")}`).join(", ");
    throw entry.error(entry.node, `needs the plugin ${wanted}`, `built in are ${has}`, "LOAD_ERR_VALIDATE");
  }
}

function requirement(entry: Item): { name: string; version: Version } {
  const name = entry.needed("name", "name the plugin").text;
  const { text } = entry.needed("version", "say which version of the plugin");
  const version = parse(text);
  if (!version)
    throw entry.error(entry.value("version"), `${text} is no version`, "write it as 0.4.0", "LOAD_ERR_VALIDATE");
  return { name, version };
}

function parse(text: string): Version | undefined {
  const match = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].*)?$/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

/** Of one major version, and not older. */
function isEnough(has: Version, wanted: Version): boolean {
  if (has[0] !== wanted[0]) return false;
  return has[1] === wanted[1] ? has[2] >= wanted[2] : has[1] > wanted[1];
}
