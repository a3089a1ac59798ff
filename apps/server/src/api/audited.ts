import { actorOf, type Caller } from "../auth/caller.ts";
import type { Context } from "../context.ts";

/** Writes into the audit log what the caller has done. */
export async function audited(
  context: Context,
  call: { caller: Caller; now: number },
  action: string,
  target: string,
  detail: Record<string, unknown> = {},
): Promise<void> {
  const { caller, now } = call;
  const entry = { time: now, actor: actorOf(caller), action, target, detail, address: caller.address };
  await context.store.audit.append(entry);
}
