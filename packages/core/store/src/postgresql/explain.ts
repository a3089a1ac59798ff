import { errorText, systemCode } from "@bulwark/model";
import { StoreError } from "../error.ts";

/** https://www.postgresql.org/docs/15/errcodes-appendix.html */
const diskFull = "53100";
/** connection_exception, too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout. */
const away = /^(08...|53300|57P0[1-5]|ECONN.*|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** node-postgres gives these no code. */
const awayText = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection)/;

/** What PostgreSQL and the way to it say of disk and connection, as a `StoreError`; everything else as it is. */
export function explain(error: unknown): unknown {
  const code = systemCode(error) ?? "";
  if (code === diskFull) {
    return new StoreError("full", "the disk of PostgreSQL is full", {
      remedy: "free space there, or lower retention.size",
      cause: error,
    });
  }
  if (away.test(code) || awayText.test(errorText(error))) {
    return new StoreError("unavailable", `PostgreSQL does not answer: ${errorText(error) || code}`, {
      remedy: "check that it runs and that server.database (DATABASE_URL) is right",
      cause: error,
    });
  }
  return error;
}
