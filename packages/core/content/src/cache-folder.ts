import { homedir } from "node:os";
import { join } from "node:path";

/** Where what spares work is kept: `$XDG_CACHE_HOME/bulwark`, as https://specifications.freedesktop.org/basedir-spec says. */
export function cacheFolder(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "bulwark", name);
}
