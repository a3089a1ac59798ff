import type { SensorRecord } from "@bulwark/sensor";
import type { Entry } from "./process-table.ts";

/**
 * A file that a process reached by a mount which its own mount namespace does not have, through `/proc/PID/root` or a
 * descriptor of another process: its path is marked as getcwd(2) marks a directory outside of the root. The record has the
 * namespace of the file, the table that of the process.
 */
export function markForeign(record: SensorRecord, { mountNamespace }: Entry): SensorRecord {
  if (record.type !== "file" || record.isThroughNamespace !== true) return record;
  // 0: of a source that does not tell namespaces.
  if (mountNamespace === 0 || mountNamespace === record.mountNamespace) return record;
  return { ...record, path: `(unreachable)${record.path}` };
}
