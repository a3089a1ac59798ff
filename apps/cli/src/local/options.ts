import { loadConfig, type Config } from "@bulwark/config";
import { BulwarkError } from "@bulwark/model";

export class UsageError extends BulwarkError<"usage"> {}

/** Flags that every command with a configuration takes; for `parseArgs`. */
export const configFlags = {
  config: { type: "string" },
  data: { type: "string" },
  port: { type: "string" },
} as const;

export const configUsage = `  --config FILE   configuration; /etc/bulwark/bulwark.yaml where it exists
  --data DIR      folder of everything that is kept
  --port N        where the API and the console listen; 0 takes a free one
`;

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
