import type { Session, User } from "@bulwark/store";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { Refusal } from "../http/problem.ts";
import { verifyPassword } from "./passwords.ts";
import { hashSecret, randomSecret } from "./secrets.ts";
import { openSession } from "./sessions.ts";
import { addressKey } from "./throttle.ts";

export interface Login {
  user: User;
  session: Session;
  cookie: string;
}

const linkLife = 15 * 60_000;

/** The secret of a link that logs `name` in once within 15 minutes. Makes the user where there is none. */
export async function addLoginLink(
  name: string,
  { store }: Context,
  { forgetPassword }: { forgetPassword: boolean },
): Promise<string> {
  const now = Date.now();
  const user = await store.accounts.user(name);
  if (!user || forgetPassword) await store.accounts.putUser({ name, passwordHash: null });
  const secret = randomSecret();
  await store.accounts.addLoginLink({ hash: hashSecret(secret), user: name, expiresAt: now + linkLife });
  const entry = { time: now, actor: "server", action: "login-link.create", target: name, address: "" };
  await store.audit.append({ ...entry, detail: { forgetPassword } });
  return secret;
}

export async function loginWithLink(secret: string, address: string, context: Context): Promise<Login> {
  const now = Date.now();
  const keys = [addressKey(address)];
  slow(keys, context, now);
  const link = await context.store.accounts.takeLoginLink(hashSecret(secret), now);
  const user = link && (await context.store.accounts.user(link.user));
  if (!user) {
    await refused("", "link", address, context, now);
    throw new Refusal("unauthenticated", "this link has been used or has expired", {
      remedy: "ask for a new one: bulwark login",
    });
  }
  return accepted(user, "link", keys, address, context, now);
}

export async function loginWithPassword(
  name: string,
  password: string,
  address: string,
  context: Context,
): Promise<Login> {
  const now = Date.now();
  const keys = [addressKey(address), `user:${name}`];
  slow(keys, context, now);
  const user = await context.store.accounts.user(name);
  const right = await verifyPassword(password, user?.passwordHash ?? null);
  if (!user || !right) {
    await refused(name, "password", address, context, now);
    throw new Refusal("unauthenticated", "name or password is wrong");
  }
  return accepted(user, "password", keys, address, context, now);
}

function slow(keys: string[], context: Context, now: number): void {
  const wait = context.throttle.attempt(keys, now);
  if (wait <= 0) return;
  count.logins.inc({ result: "slowed" });
  const seconds = Math.ceil(wait / 1000);
  throw new Refusal("too-many", `too many wrong logins; wait ${seconds} s`, { retryAfter: seconds });
}

async function accepted(
  user: User,
  by: string,
  keys: string[],
  address: string,
  context: Context,
  now: number,
): Promise<Login> {
  context.throttle.succeeded(keys);
  const opened = await openSession(user.name, context.store, now);
  const entry = { time: now, actor: user.name, action: "login", target: user.name, detail: { by }, address };
  await context.store.audit.append(entry);
  count.logins.inc({ result: "accepted" });
  return { user, ...opened };
}

/** Attempts that were slowed are only counted, so that a stranger cannot fill the audit log. */
async function refused(name: string, by: string, address: string, context: Context, now: number): Promise<void> {
  count.logins.inc({ result: "refused" });
  const entry = { time: now, actor: name, action: "login.refused", target: name, detail: { by }, address };
  await context.store.audit.append(entry);
}
