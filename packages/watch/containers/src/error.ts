import { BulwarkError, errorText, systemCode } from "@bulwark/model/plain";

/**
 * - `absent`: it (the runtime, the container, the blob) is not there
 * - `denied`: this user may not ask it
 * - `failed`: it does not answer, or not as it should
 */
export class RuntimeError extends BulwarkError<"absent" | "denied" | "failed"> {}

/** What a failed call of the system at `path` means. */
export function explain(path: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const text = errorText(error);
  const code = systemCode(error) ?? /\b(?:EACCES|EPERM|ENOENT|ECONNREFUSED)\b/.exec(text)?.[0];
  if (code === "EACCES" || code === "EPERM") {
    return new RuntimeError("denied", `${path}: permission denied`, { remedy: "run the agent as root", cause: error });
  }
  if (code === "ECONNREFUSED") {
    return new RuntimeError("failed", `${path}: nobody answers at this socket`, {
      remedy: "start the runtime, or remove the socket that it has left behind",
      cause: error,
    });
  }
  if (code === "ENOENT") return new RuntimeError("absent", `${path} is gone`, { cause: error });
  return new RuntimeError("failed", `${path}: ${text}`, { remedy: "see whether the runtime is healthy", cause: error });
}
