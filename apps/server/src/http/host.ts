import type { Context } from "../context.ts";

/**
 * Whether a request's Host header names this server. A page of another site can let its own name point at 127.0.0.1
 * (DNS rebinding) and then talk to a server on loopback as if to its own; the name in the header gives it away.
 */
export function guardHost(context: Pick<Context, "config">): (host: string | undefined) => boolean {
  const { address, url } = context.config.server;
  if (!isLoopback(address)) return () => true;
  const names = new Set(["localhost", "127.0.0.1", "[::1]", address]);
  if (url !== undefined) names.add(new URL(url).hostname);
  return (host) => host !== undefined && names.has(host.toLowerCase().replace(/:\d+$/, ""));
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}
