import { BulwarkError } from "@bulwark/model";

/** What is wrong with an object: refused (`error`), or in force with a meaning that its author may not expect. */
export interface Problem {
  readonly severity: "error" | "warning";
  /** `NetworkPolicy default/web`. */
  readonly object: string;
  /** `spec.ingress[0].from[1].ipBlock.cidr`; empty for the object as a whole. */
  readonly path: string;
  readonly reason: string;
  /** File and line, where the object was read from a file. */
  readonly source: string | null;
}

export type NetpolErrorCode = "invalid" | "unreadable" | "unknown-endpoint" | "bad-query" | "too-large";

/** `problems` lists all that is wrong, not only the first. */
export class NetpolError extends BulwarkError<NetpolErrorCode> {
  readonly problems: readonly Problem[];

  constructor(
    code: NetpolErrorCode,
    message: string,
    options: { remedy?: string; cause?: unknown; problems?: readonly Problem[] } = {},
  ) {
    super(code, message, options);
    this.problems = options.problems ?? [];
  }
}

/** One line: what, where, why. */
export function problemText({ object, path, reason, source }: Problem): string {
  const place = path === "" ? object : `${object}: ${path}`;
  return source === null ? `${place}: ${reason}` : `${source}: ${place}: ${reason}`;
}

/** Bounds of what is taken in. Beyond them is refused with `too-large` or a problem, never cut. */
export const limits = {
  pods: 200_000,
  policies: 50_000,
  /** Items of any one list inside a policy that its own API does not bound (etcd takes objects up to 1.5 MiB). */
  list: 10_000,
  /** Bytes of one file of objects. */
  file: 256 * 2 ** 20,
  /** Bytes of a connectivity table. */
  table: 512 * 2 ** 20,
} as const;
