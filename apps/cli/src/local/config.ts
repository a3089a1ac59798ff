import { loadConfig, type Config } from "@bulwark/config";
import { UsageError } from "./options.ts";

/** The configuration file with the flags laid over it. */
export function configFrom(flags: {
  config?: string | undefined;
  data?: string | undefined;
  port?: string | undefined;
}): Config {
  const config = loadConfig(flags.config);
  return {
    ...config,
    data: flags.data ?? config.data,
    server: { ...config.server, port: flags.port === undefined ? config.server.port : portNumber(flags.port) },
  };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError("usage", `--port ${text}: not a port`, { remedy: "0 to 65535" });
}
