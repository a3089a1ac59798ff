import { ApiError, createClient } from "@bulwark/contract/client";
import type { Response, Routes, RouteName } from "@bulwark/contract";
import { table } from "virtual:routes";

export { ApiError };
export type Answer<N extends RouteName> = Response<Routes[N]>;
export type Session = Answer<"getSession">;

let csrf = "";

/** The value that every write must carry; it comes with the session. */
export function setCsrf(value: string): void {
  csrf = value;
}

export const api = createClient(table, { base: "", headers: () => (csrf === "" ? {} : { "x-csrf-token": csrf }) });

/** The caller has no session, or no longer. */
export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
