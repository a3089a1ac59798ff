import type { Authority } from "@bulwark/identity";
import type { AgentCertificate, Store } from "@bulwark/store";
import { Refusal } from "../http/problem.ts";
import type { KeyGuard } from "./authority.ts";

/** Where agents of other machines come in. */
export interface AgentGate {
  readonly authority: Authority;
  readonly guard: KeyGuard;
}

/** `seenAt` is exact to a minute, so that reading does not become writing. */
const touchEvery = 60_000;

/**
 * The agent whose certificate this is. The store is asked at each request, so that a certificate that was revoked is
 * refused from that moment on, at every replica, on connections that are open too. Refuses with `unauthenticated`.
 */
export async function certificateOf(
  fingerprint: string,
  address: string,
  store: Store,
  now: number,
): Promise<AgentCertificate> {
  const found = await store.agents.byFingerprint(fingerprint);
  if (!found) throw new Refusal("unauthenticated", "this certificate is not known here", { remedy: rejoin });
  if (found.revokedAt !== null)
    throw new Refusal("unauthenticated", "this certificate was revoked", { remedy: rejoin });
  if (found.expiresAt <= now) throw new Refusal("unauthenticated", "this certificate has expired", { remedy: rejoin });
  if (now - (found.seenAt ?? 0) > touchEvery) await store.agents.touch(fingerprint, address, now);
  return found;
}

const rejoin = "join the node again, with a new token: bulwark join NODE";
