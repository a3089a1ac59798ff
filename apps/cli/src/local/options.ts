import { BulwarkError } from "@bulwark/model/plain";

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

/** Addresses of a control plane's agent port. `plain`: without TLS too, for the machine that the server is on. */
export function serversFrom(servers: string[], plain = false): string[] {
  if (servers.length === 0 || !servers.every((server) => URL.canParse(server))) {
    throw new UsageError("usage", "--server: an address is needed", { remedy: "--server https://127.0.0.1:8444" });
  }
  const open = servers.find((server) => new URL(server).protocol !== "https:");
  if (open === undefined || plain) return servers;
  throw new UsageError("usage", `--server ${open}: an agent connects by https only`, {
    remedy: "name the server's agent port: https://HOST:8444",
  });
}
