import { queryOptions } from "@tanstack/react-query";
import { api, setCsrf, type Session } from "../../api/client.ts";
import { queryClient } from "../../api/query-client.ts";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => keep(await api.getSession()),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The session that a login answered with. */
export function begin(session: Session): void {
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, keep(session));
}

/** Forgets everything that was fetched. */
export function end(): void {
  setCsrf("");
  queryClient.clear();
}

function keep(session: Session): Session {
  setCsrf(session.csrf);
  return session;
}

const attempts = new Map<string, Promise<Session>>();

/** A link works once, so that it is sent once, however often the page is drawn. */
export async function loginWithLink(token: string): Promise<Session> {
  const attempt = attempts.get(token) ?? api.loginWithLink({ body: { token } });
  attempts.set(token, attempt);
  try {
    return await attempt;
  } catch (error) {
    attempts.delete(token);
    throw error;
  }
}

/** Where to go after the login: a page of ours, never another site. */
export function safeTarget(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
}
