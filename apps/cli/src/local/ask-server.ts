import { readSecret } from "@bulwark/config";
import { ApiError, createClient, routes, type Client } from "@bulwark/contract";
import { errorText } from "@bulwark/model/plain";
import { UsageError } from "./options.ts";

/** Flags of every command that asks a server; for `parseArgs`. */
export const serverFlags = {
  server: { type: "string" },
  "token-file": { type: "string" },
} as const;

/** How long a server may take for one answer. Milliseconds. */
const patience = 120_000;

/** Asks a server; what it refuses is raised as `UsageError`, in its own words. */
export async function askServer<T>(
  values: { server?: string | undefined; "token-file"?: string | undefined },
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const { server = "" } = values;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new UsageError("usage", "--server: an address is needed", { remedy: "--server https://bulwark.example.com" });
  }
  const token = readSecret("BULWARK_TOKEN", values["token-file"]);
  if (token === undefined) {
    throw new UsageError("usage", "no API token", {
      remedy: "make one in the console (Settings, API tokens), and set BULWARK_TOKEN or --token-file FILE",
    });
  }
  const client = createClient(routes, {
    base: server.replace(/\/+$/, ""),
    headers: () => ({ authorization: `Bearer ${token}` }),
    signal: AbortSignal.timeout(patience),
  });
  try {
    return await ask(client);
  } catch (error) {
    if (error instanceof ApiError) {
      const { message, remedy } = error.problem;
      throw new UsageError("usage", `${server}: ${message}`, remedy === undefined ? {} : { remedy });
    }
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError")) {
      const cause = error.cause === undefined ? error : error.cause;
      throw new UsageError("usage", `${server} does not answer: ${errorText(cause)}`, {
        remedy: "see whether it runs, and whether this machine reaches it; NODE_EXTRA_CA_CERTS names its authority",
      });
    }
    throw error;
  }
}
