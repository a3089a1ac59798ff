import type { Container, ImageReport } from "@bulwark/model";
import type { SensorRecord } from "@bulwark/sensor";

/** What `scripts/record-demo.ts` recorded. */
export interface Recording {
  containers: Container[];
  reports: ImageReport[];
  records: SensorRecord[];
}

/** Fields that are bigints in memory and digits in the file. */
const bigints = new Set([
  "sequence",
  "time",
  "startTime",
  "parentStartTime",
  "capabilities",
  "permitted",
  "inheritable",
  "cloneFlags",
  "executableInode",
]);

export function parseRecording(text: string): Recording {
  return JSON.parse(text, (key, value: unknown) =>
    bigints.has(key) && typeof value === "string" ? BigInt(value) : value,
  ) as Recording;
}
