import type { Response, Routes } from "@bulwark/contract";
import type { ApiToken } from "@bulwark/store";
import { actorOf, sessionOf } from "../auth/caller.ts";
import { loginWithLink, loginWithPassword, type Login } from "../auth/login.ts";
import { hashPassword, verifyPassword } from "../auth/passwords.ts";
import { createTokenSecret, hashSecret } from "../auth/secrets.ts";
import { cookieHeader } from "../auth/sessions.ts";
import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";
import { audited } from "./audited.ts";
import { found } from "./found.ts";

const day = 86_400_000;

export const sessionHandlers: HandlersOf<"session"> = {
  async loginWithLink({ body, caller, setCookie }, context) {
    const login = await loginWithLink(body.token, caller.address, context);
    setCookie(cookieHeader(login.cookie, context.secure));
    return answerOf(login);
  },

  async loginWithPassword({ body, caller, setCookie }, context) {
    const login = await loginWithPassword(body.name, body.password, caller.address, context);
    setCookie(cookieHeader(login.cookie, context.secure));
    return answerOf(login);
  },

  async getSession({ caller }, { store }) {
    if (caller.kind === "token") {
      // A token needs no CSRF value: nothing sends it by itself, as a browser does with a cookie.
      const user = { name: actorOf(caller), hasPassword: false };
      return { user, csrf: "", expiresAt: caller.token.expiresAt };
    }
    const session = sessionOf(caller);
    return answerOf({ user: found(await store.accounts.user(session.user), "user"), session });
  },

  async logout(call, context) {
    const { user, hash } = sessionOf(call.caller);
    await context.store.accounts.deleteSession(hash);
    call.setCookie(cookieHeader(null, context.secure));
    await audited(context, call, "logout", user);
  },

  async setPassword(call, context) {
    const { store, throttle } = context;
    const session = sessionOf(call.caller);
    const user = found(await store.accounts.user(session.user), "user");
    if (user.passwordHash !== null) {
      const keys = [`user:${user.name}`];
      const wait = throttle.attempt(keys, call.now);
      if (wait > 0) throw new Refusal("too-many", "too many wrong passwords", { retryAfter: Math.ceil(wait / 1000) });
      if (!(await verifyPassword(call.body.current ?? "", user.passwordHash))) {
        await audited(context, call, "password.refused", user.name);
        throw new Refusal("forbidden", "the current password is wrong");
      }
      throttle.succeeded(keys);
    }
    await store.accounts.putUser({ name: user.name, passwordHash: await hashPassword(call.body.password) });
    // Whoever was in with the old password is out.
    await store.accounts.deleteSessions(user.name, session.hash);
    await audited(context, call, "password.set", user.name);
  },

  async listTokens(_call, { store }) {
    const tokens = await store.accounts.tokens();
    return { items: tokens.filter(isPersonal).map(withoutSecret) };
  },

  async createToken(call, context) {
    sessionOf(call.caller);
    const { name, scope, days } = call.body;
    const { id, text } = createTokenSecret();
    const times = { createdAt: call.now, expiresAt: call.now + days * day, lastUsedAt: null };
    const token = { id, name, scope, node: null, ...times };
    await context.store.accounts.addToken({ ...token, hash: hashSecret(text) });
    await audited(context, call, "token.create", id, { name, scope, days });
    return { ...withoutSecret(token), secret: text };
  },

  async deleteToken(call, context) {
    sessionOf(call.caller);
    if (!(await context.store.accounts.deleteToken(call.params.id)))
      throw new Refusal("not-found", "there is no such token");
    await audited(context, call, "token.delete", call.params.id);
  },
};

function answerOf({ user, session }: Pick<Login, "user" | "session">): Response<Routes["getSession"]> {
  return {
    user: { name: user.name, hasPassword: user.passwordHash !== null },
    csrf: session.csrf,
    expiresAt: session.expiresAt,
  };
}

type PersonalToken = Omit<ApiToken, "hash"> & { scope: "read" | "write" };

function isPersonal(token: ApiToken): token is ApiToken & PersonalToken {
  return token.scope === "read" || token.scope === "write";
}

function withoutSecret({ id, name, scope, createdAt, expiresAt, lastUsedAt }: PersonalToken) {
  return { id, name, scope, createdAt, expiresAt, lastUsedAt };
}
