import type { RegistryOptions } from "@bulwark/image";
import type { RegistrySettings } from "@bulwark/model";
import type { StoredRegistry } from "@bulwark/store";
import type { Sealing } from "./sealing.ts";

/** Docker Hub answers under another name than its images have. */
const hub = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"]);

/** The registry as names of images have it: `registry.example:5000`, `docker.io`. */
export function hostOf({ url }: Pick<RegistrySettings, "url">): string {
  const { host } = new URL(url);
  return hub.has(host) ? "docker.io" : host;
}

/** The name under which runtimes have the image, and its key. */
export function imageOf(
  settings: Pick<RegistrySettings, "url">,
  { repository, tag, digest }: { repository: string; tag: string; digest: string },
): { name: string; key: string } {
  const name = `${hostOf(settings)}/${repository}:${tag}`;
  return { name, key: `${name}@${digest}` };
}

/** How the registry is asked. Raises what opening its credentials raises. */
export function optionsFor({ settings, sealed }: StoredRegistry, sealing: Sealing): RegistryOptions {
  return {
    plainHttp: settings.url.startsWith("http:"),
    authorities: settings.authority === null ? [] : [settings.authority],
    // Never those that lie on the server's own machine for somebody else.
    credentials: sealed === null ? null : sealing.open(sealed),
  };
}
