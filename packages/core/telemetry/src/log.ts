import { pino, stdTimeFunctions, type Logger } from "pino";

export type { Logger };

/**
 * One JSON line per message on standard error: `level`, `time` (ISO 8601), `component`, `msg`, and the fields given.
 * Fields whose names say that they hold a secret are masked. The level comes from `BULWARK_LOG` (`info`).
 */
export function createLogger(component: string): Logger {
  root ??= pino(
    {
      level: process.env["BULWARK_LOG"] ?? "info",
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ["token", "password", "secret", "authorization", "cookie", "*.token", "*.password", "*.secret"],
    },
    process.stderr,
  );
  return root.child({ component });
}

let root: Logger | undefined;
