import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seal, unseal } from "@bulwark/identity";
import { systemCode, type RegistryCredentials } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import { ServerError } from "../error.ts";

/** Keeps what opens other systems: sealed, with a key that is not in the database. */
export interface Sealing {
  /** Raises `ServerError` `key` where there is no key to seal with. */
  seal(credentials: RegistryCredentials): string;
  /** Raises `ServerError` `key`, or `IdentityError` where it was sealed with another one. */
  open(sealed: string): RegistryCredentials;
}

const purpose = "credentials of a registry";

/** `secret`: the key of all replicas. Without one, a server with a database of its own makes itself a key beside it. */
export function createSealing(secret: string | undefined, data: string, engine: Store["engine"]): Sealing {
  let key = secret;

  function theKey(): string {
    key ??= engine === "sqlite" ? keyIn(join(data, "key")) : undefined;
    if (key !== undefined) return key;
    throw new ServerError("key", "there is no key with which credentials could be sealed", {
      remedy: "give every replica the same key: server.keyFile or BULWARK_KEY (openssl rand -hex 32)",
    });
  }

  return {
    seal: (credentials) => seal(JSON.stringify(credentials), theKey(), purpose),
    open: (sealed) => JSON.parse(unseal(sealed, theKey(), purpose)) as RegistryCredentials,
  };
}

/** The key in a file that only the server reads; made when it is first needed. */
function keyIn(path: string): string {
  try {
    writeFileSync(path, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx", flush: true });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  return readFileSync(path, "utf8").trim();
}
