import { errorText } from "@bulwark/model";
import type { Context } from "../context.ts";
import { count } from "../http/figures.ts";
import { megabytes } from "./disk.ts";

/** The database refused for lack of room. Holds until the next look finds room. */
export function reportFull({ health, config }: Context, reason: string): void {
  health.report({
    id: "database",
    state: "failed",
    summary: "Nothing is stored: the disk is full. Agents keep their records and send them again",
    reason,
    remedy: `make room in ${config.data}, or lower retention.size`,
  });
}

export async function reportDatabase(context: Context): Promise<void> {
  const { store, health, disk, limits, config } = context;
  try {
    const [{ bytes, free: ownFree }, free] = await Promise.all([store.size(), disk.free()]);
    const left = free ?? ownFree;
    count.storeBytes.set(bytes);
    if (left !== null) count.storeFree.set(left);
    if (left !== null && left < limits.diskFloor) {
      reportFull(context, `only ${megabytes(left)} MB are free`);
      return;
    }
    const engine = store.engine === "sqlite" ? "SQLite" : "PostgreSQL";
    health.report({
      id: "database",
      state: "ok",
      summary: `${engine}, ${megabytes(bytes)} MB${left === null ? "" : `, ${megabytes(left)} MB free`}`,
      counters: { bytes, ...(left !== null && { free: left }) },
    });
  } catch (error) {
    health.report({
      id: "database",
      state: "failed",
      summary: "The database does not answer",
      reason: errorText(error),
      remedy:
        store.engine === "sqlite"
          ? `see whether ${config.data} can be read and written`
          : "see whether PostgreSQL runs",
    });
  }
}

export async function reportBus({ bus, health }: Context): Promise<void> {
  const flows = await bus.ping().catch(() => false);
  const name = bus.kind === "nats" ? "NATS JetStream" : "In the process";
  const counters = { abandoned: bus.abandoned };
  if (!flows) {
    health.report({
      id: "bus",
      state: "failed",
      summary: `${name}: messages do not flow`,
      counters,
      reason: "the bus does not answer",
      remedy: "see whether NATS runs and server.nats names it",
    });
  } else if (bus.abandoned > 0) {
    health.report({
      id: "bus",
      state: "degraded",
      summary: `${name}; ${bus.abandoned} pieces of work were given up`,
      counters,
      reason: "their handlers failed each time; the server's log says why",
      remedy: "mend the cause and start the server again: every image is then matched anew",
    });
  } else health.report({ id: "bus", state: "ok", summary: name, counters });
}
