import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Config } from "@bulwark/config";
import { errorText } from "@bulwark/model";
import { ServerError } from "../error.ts";

/** What `server.tls` names, or undefined. Raises `ServerError` `certificate` where it cannot be used. */
export async function readTls({ server }: Config): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (!server.tls) return undefined;
  try {
    const pair = { cert: await readFile(server.tls.certificate), key: await readFile(server.tls.key) };
    createSecureContext(pair);
    return pair;
  } catch (error) {
    throw new ServerError("certificate", `server.tls: ${errorText(error)}`, {
      remedy: "name a certificate and its private key in PEM, which the server may read",
      cause: error,
    });
  }
}
