import { errorText } from "@bulwark/model";
import { createAuthority, isSealed, openAuthority, seal, unseal, type Authority } from "@bulwark/identity";
import type { Store } from "@bulwark/store";
import { z } from "zod";
import { ServerError } from "../error.ts";

const setting = "agents.authority";
const purpose = "the key of the agents' authority";
const stored = z.strictObject({ certificate: z.string(), key: z.string() });

/** What guards the authority's private key: a secret that is not in the database, or only who may read the database. */
export type KeyGuard = "secret" | "database";

/**
 * The authority of this control plane, made at the first start by whichever replica is first. Its private key is in the
 * store: encrypted where there is a `secret` (one that lies there in plain is encrypted now), else guarded by the rights of
 * the database. Raises `ServerError` `key` where it is encrypted and the secret is not the one.
 */
export async function loadAuthority(
  store: Store,
  secret: string | undefined,
): Promise<{ authority: Authority; guard: KeyGuard }> {
  if (secret !== undefined && secret.length < 32) {
    throw new ServerError("key", "the key that encrypts keys in the database is shorter than 32 characters", {
      remedy: "make one: openssl rand -hex 32",
    });
  }
  const pair = stored.parse(JSON.parse((await store.settings.get(setting)) ?? (await make(store, secret))));
  if (!isSealed(pair.key)) {
    if (secret !== undefined) {
      await store.settings.set(setting, JSON.stringify({ ...pair, key: seal(pair.key, secret, purpose) }));
    }
    return { authority: await openAuthority(pair), guard: secret === undefined ? "database" : "secret" };
  }
  return { authority: await openAuthority({ ...pair, key: opened(pair.key, secret) }), guard: "secret" };
}

async function make(store: Store, secret: string | undefined): Promise<string> {
  const { certificate, key } = await createAuthority(Date.now());
  const kept = secret === undefined ? key : seal(key, secret, purpose);
  return store.settings.setOnce(setting, JSON.stringify({ certificate, key: kept }));
}

function opened(sealed: string, secret: string | undefined): string {
  const remedy = "give every replica the key that was there at the first start (server.keyFile, BULWARK_KEY)";
  if (secret === undefined) throw new ServerError("key", `${purpose} is encrypted, and no key is given`, { remedy });
  try {
    return unseal(sealed, secret, purpose);
  } catch (error) {
    throw new ServerError("key", errorText(error), { remedy, cause: error });
  }
}
