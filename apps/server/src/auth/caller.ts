import { isIP } from "node:net";
import type { Route } from "@bulwark/contract";
import { nodeIdOf } from "@bulwark/model";
import type { AgentCertificate, ApiToken, Session, Store } from "@bulwark/store";
import { certificateOf } from "../agents/gate.ts";
import { Refusal } from "../http/problem.ts";
import { hashSecret, isTokenSecret, sameSecret } from "./secrets.ts";
import { extendSession } from "./sessions.ts";

/** Who calls. `address` is where the connection comes from. */
export type Caller = { address: string } & (
  | { kind: "anyone" }
  | { kind: "session"; session: Session }
  | { kind: "token"; token: ApiToken }
  /** `node` as the control plane calls it. `certificate` is null for the agent of this very machine, which has a token. */
  | { kind: "agent"; node: string; certificate: AgentCertificate | null }
  | { kind: "audit"; cluster: string }
);

export interface Credentials {
  method: string;
  authorization: string | undefined;
  cookie: string | undefined;
  csrf: string | undefined;
  address: string;
  /** SHA-256 of the client certificate, where the agents' authority signed it. */
  certificate: string | undefined;
}

/** Who calls, when they may; otherwise refuses with `unauthenticated` or `forbidden`. */
export async function authorize(
  access: Route["access"],
  credentials: Credentials,
  store: Store,
  now: number,
): Promise<Caller> {
  if (access === "public") return { kind: "anyone", address: credentials.address };
  const caller = await identify(credentials, store, now);
  switch (caller.kind) {
    case "anyone":
      if (access === "agent") {
        throw new Refusal("unauthenticated", "this takes the certificate of an agent", {
          remedy: "join the node, with a token: bulwark join NODE",
        });
      }
      throw new Refusal("unauthenticated", "log in, or send a valid token", {
        remedy: "open a login link, or send the header authorization: Bearer blw_…",
      });
    case "audit":
      if (access !== "audit") throw new Refusal("forbidden", "this token may only send an API server's audit log");
      return caller;
    case "agent":
      if (access !== "agent") throw new Refusal("forbidden", "an agent may only send records");
      return caller;
    case "token":
      checkPersonal(access);
      if (access === "write" && caller.token.scope !== "write") {
        throw new Refusal("forbidden", "this token may only read", { remedy: "make a token with the scope write" });
      }
      return caller;
    case "session":
      checkPersonal(access);
      checkCsrf(credentials, caller.session);
      return caller;
  }
}

function checkPersonal(access: Route["access"]): void {
  if (access === "agent") throw new Refusal("forbidden", "only an agent's token may send records");
  if (access !== "audit") return;
  throw new Refusal("forbidden", "only an API server's token may send its audit log", {
    remedy: "make one for the cluster: POST /api/v1/clusters/NAME/audit-token",
  });
}

async function identify(credentials: Credentials, store: Store, now: number): Promise<Caller> {
  const { address, authorization, certificate, cookie } = credentials;
  if (certificate !== undefined) {
    const found = await certificateOf(certificate, address, store, now);
    return { kind: "agent", node: nodeIdOf(found.cluster, found.node), certificate: found, address };
  }
  if (authorization !== undefined) return identifyToken(authorization, address, store, now);
  if (cookie === undefined || cookie.length > 256) return { kind: "anyone", address };
  const session = await store.accounts.session(hashSecret(cookie), now);
  if (!session) return { kind: "anyone", address };
  return { kind: "session", session: await extendSession(session, store, now), address };
}

async function identifyToken(authorization: string, address: string, store: Store, now: number): Promise<Caller> {
  const text = /^bearer +(\S{1,256})$/i.exec(authorization)?.[1];
  const token =
    text !== undefined && isTokenSecret(text) ? await store.accounts.tokenByHash(hashSecret(text), now) : undefined;
  if (!token) return { kind: "anyone", address };
  if (now - (token.lastUsedAt ?? 0) > touchEvery) await store.accounts.touchToken(token.id, now);
  if (token.scope === "read" || token.scope === "write") return { kind: "token", token, address };
  if (token.node === null) throw new Error(`the ${token.scope} token ${token.id} names nobody`);
  if (token.scope === "audit") return { kind: "audit", cluster: token.node, address };
  return { kind: "agent", node: token.node, certificate: null, address };
}

/** `lastUsedAt` is exact to a minute, so that reading does not become writing. */
const touchEvery = 60_000;

function checkCsrf(credentials: Credentials, session: Session): void {
  if (credentials.method === "GET" || credentials.method === "HEAD") return;
  if (credentials.csrf !== undefined && sameSecret(credentials.csrf, session.csrf)) return;
  throw new Refusal("forbidden", "the header x-csrf-token is missing or wrong", {
    remedy: "send the csrf value of GET /api/v1/session",
  });
}

/** Name of the caller in the audit log. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case "anyone":
      return "";
    case "session":
      return caller.session.user;
    case "token":
      return `token:${caller.token.id}`;
    case "agent":
      return `agent:${caller.node}`;
    case "audit":
      return `audit:${caller.cluster}`;
  }
}

/** The user behind a session; tokens are refused: what they must not do is make or change credentials. */
export function sessionOf(caller: Caller): Session {
  if (caller.kind === "session") return caller.session;
  throw new Refusal("forbidden", "only a logged-in person may do this, not a token");
}

export function plainAddress(address: string): string {
  const v4 = address.replace(/^::ffff:/, "");
  return isIP(v4) === 4 ? v4 : address;
}
