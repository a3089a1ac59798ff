/** `@bulwark/config/data-folder`: the one setting that short commands need, without the schema of all others. */
import { existsSync } from "node:fs";

/** Where the file is looked for when nobody names one. */
export const defaultConfigFile = "/etc/bulwark/bulwark.yaml";

/** The folder of everything that is kept, where no file says another. */
export const defaultDataFolder = process.getuid?.() === 0 ? "/var/lib/bulwark" : ".bulwark";

/** `data` of the configuration; `file` as for `loadConfig`. Raises `ConfigError`. */
export async function dataFolder(file?: string): Promise<string> {
  if (file === undefined && !existsSync(defaultConfigFile)) return defaultDataFolder;
  return (await import("./load.ts")).loadConfig(file).data;
}
