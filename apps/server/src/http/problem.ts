import type { Problem } from "@bulwark/contract";
import { errorText } from "@bulwark/model";
import { StoreError } from "@bulwark/store";
import type { FastifyReply } from "fastify";
import type { z } from "zod";

const statuses = {
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  invalid: 400,
  "too-many": 429,
  internal: 500,
  unavailable: 503,
  full: 507,
} as const;
export type ProblemCode = keyof typeof statuses;

/** What a handler throws to refuse. Its text is meant for the caller; nothing else that is thrown reaches one. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly remedy: string | undefined;
  /** Seconds until it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ProblemCode,
    message: string,
    options: { remedy?: string; status?: number; retryAfter?: number } = {},
  ) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.status = options.status ?? statuses[code];
    this.remedy = options.remedy;
    this.retryAfter = options.retryAfter;
  }
}

/** `value` as the schema has it, or a refusal that names the place: `query.limit: …`. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, place: "params" | "query" | "body"): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refusal("invalid", describeIssues(parsed.error, place));
}

/** The first three issues on one line. */
function describeIssues(error: z.ZodError, place: string): string {
  const lines = error.issues.slice(0, 3).map((issue) => {
    const what =
      issue.code === "unrecognized_keys" ? `does not know ${issue.keys.slice(0, 5).join(", ")}` : issue.message;
    return `${[place, ...issue.path].join(".")}: ${what}`;
  });
  return lines.join("; ").slice(0, 1000);
}

/** Anything that was thrown, as what the caller may know of it. `internal` says nothing; the log has the rest. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreError) return fromStore(error);
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) return fromFramework(status, error);
  return new Refusal("internal", "the server failed; its log says why");
}

function fromStore(error: StoreError): Refusal {
  const remedy = error.remedy === undefined ? {} : { remedy: error.remedy };
  switch (error.code) {
    case "bad-cursor":
      return new Refusal("invalid", error.message, remedy);
    case "full":
      return new Refusal("full", "the database has no room; nothing was stored", remedy);
    case "foreign":
      return new Refusal("forbidden", error.message, remedy);
    case "not-empty":
    case "mismatch":
    case "in-use":
    case "newer":
    case "unavailable":
      return new Refusal("unavailable", "the database does not answer", { retryAfter: 5 });
  }
}

/** fastify's own 4xx texts are about the request only. */
function fromFramework(status: number, error: unknown): Refusal {
  if (status === 404) return new Refusal("not-found", "there is nothing here");
  return new Refusal("invalid", errorText(error).slice(0, 300), { status });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem: Problem = { code: refusal.code, message: refusal.message };
  if (refusal.remedy !== undefined) problem.remedy = refusal.remedy;
  if (refusal.retryAfter !== undefined) void reply.header("retry-after", String(refusal.retryAfter));
  return reply.code(refusal.status).header("cache-control", "no-store").send(problem);
}
