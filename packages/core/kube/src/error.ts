import { BulwarkError, errorText, systemCode } from "@bulwark/model";

/**
 * `gone`: a resource version or page is no longer kept (410); `conflict`: somebody changed it first, or owns the field;
 * `busy`: asked to wait (429, 503); `too-large`: more than is read at a time; `unreachable`: no answer at all.
 */
export type KubeErrorCode =
  | "bad-config"
  | "bad-response"
  | "busy"
  | "conflict"
  | "exists"
  | "forbidden"
  | "gone"
  | "invalid"
  | "not-found"
  | "server"
  | "too-large"
  | "unauthorized"
  | "unreachable";

/** A request that did not do what it was for. */
export class KubeError extends BulwarkError<KubeErrorCode> {
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Kubernetes' word for it, such as `AlreadyExists` or `Expired`. */
  readonly reason: string | undefined;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { status?: number; reason?: string; retryAfter?: number; remedy?: string; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter;
  }
}

/** What the server says went wrong (`kind: Status`), as far as it can be read. */
export interface Status {
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

const remedies: Partial<Record<KubeErrorCode, string>> = {
  unauthorized: "check the credentials: a token may have expired, or the kubeconfig belongs to another cluster",
  forbidden: "give the role of this client the verb and resource named above (kubectl auth can-i shows what it has)",
  unreachable: "check the server's address, its certificate, the network and any proxy",
};

/** No answer, or one that broke off. */
export function unreachable(what: string, server: string, cause: unknown): KubeError {
  // Of several addresses that all refuse there is no message, but a code.
  const reason = errorText(cause) || (systemCode(cause) ?? "no reason was given");
  const message = `${what}: ${server} does not answer: ${reason}`;
  return new KubeError("unreachable", message, {
    cause,
    ...(remedies.unreachable && { remedy: remedies.unreachable }),
  });
}

/** The error of an answer, with what was asked: `list pods in shop`. */
export function statusError(what: string, status: Status, httpStatus: number, retryAfterHeader?: string): KubeError {
  const number = status.code ?? httpStatus;
  const code = codeOf(number, status.reason);
  const seconds = Number(retryAfterHeader ?? status.details?.retryAfterSeconds ?? Number.NaN);
  return new KubeError(code, `${what}: ${status.message ?? `HTTP status ${number}`}`, {
    status: number,
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(Number.isFinite(seconds) ? { retryAfter: Math.min(seconds, 300) * 1000 } : {}),
    ...(remedies[code] === undefined ? {} : { remedy: remedies[code] }),
  });
}

function codeOf(status: number, reason: string | undefined): KubeErrorCode {
  if (status === 410 || reason === "Expired" || reason === "Gone") return "gone";
  if (status === 409) return reason === "AlreadyExists" ? "exists" : "conflict";
  const codes: Readonly<Record<number, KubeErrorCode>> = {
    ...{ 400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not-found", 422: "invalid" },
    ...{ 429: "busy", 503: "busy", 504: "busy" },
  };
  return codes[status] ?? "server";
}
