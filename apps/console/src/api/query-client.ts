import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, isUnauthenticated } from "./client.ts";

let onLoggedOut = (): void => {};

/** Called once per refused call when the session has ended. */
export function whenLoggedOut(listener: () => void): void {
  onLoggedOut = listener;
}

function onError(error: unknown): void {
  if (isUnauthenticated(error)) onLoggedOut();
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 300_000,
      // What the server refused it refuses again; what did not arrive may arrive.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
    },
  },
});
