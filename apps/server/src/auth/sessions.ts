import type { Session, Store } from "@bulwark/store";
import { hashSecret, randomSecret } from "./secrets.ts";

export const sessionCookie = "bulwark_session";

/** A session ends after two hours without a call (an open page calls), at the latest twelve hours after the login. */
const idle = 2 * 3_600_000;
const longest = 12 * 3_600_000;
/** A session is extended when this much of its idle time has gone, so that reading is not a write each time. */
const extendAfter = 600_000;

/** `cookie` is the value for the person's browser; the store has its hash only. */
export async function openSession(
  user: string,
  store: Store,
  now: number,
): Promise<{ session: Session; cookie: string }> {
  const cookie = randomSecret();
  const session = { hash: hashSecret(cookie), user, csrf: randomSecret(), createdAt: now, expiresAt: now + idle };
  await store.accounts.addSession(session);
  return { session, cookie };
}

export async function extendSession(session: Session, store: Store, now: number): Promise<Session> {
  const expiresAt = Math.min(now + idle, session.createdAt + longest);
  if (expiresAt - session.expiresAt < extendAfter) return session;
  await store.accounts.extendSession(session.hash, expiresAt);
  return { ...session, expiresAt };
}

/** The cookie of a session, to set (`value`) or to take away (null). */
export function cookieHeader(value: string | null, secure: boolean): string {
  const parts = [`${sessionCookie}=${value ?? ""}`, "Path=/", "HttpOnly", "SameSite=Strict"];
  if (value === null) parts.push("Max-Age=0");
  else parts.push(`Max-Age=${longest / 1000}`);
  if (secure) parts.push("Secure");
  return parts.join("; ");
}
