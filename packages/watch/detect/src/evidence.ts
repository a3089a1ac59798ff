import type { Evidence } from "@bulwark/model";
import type { CallRecord } from "@bulwark/sensor";
import type { Entry } from "./process-table.ts";

/** What detectors of system calls say alike. */
export function answer({ granted }: CallRecord): Evidence {
  return { key: "answer", value: granted === null ? "unknown" : granted ? "granted" : "refused" };
}

/** Text of an argument by its position; empty where there is none. */
export function textOf(record: CallRecord): (position: number) => string {
  return (position) => record.texts[position] ?? "";
}

/** The same call by the same process, granted or refused, is one alert. */
export function callKey(record: CallRecord, ...parts: string[]): string {
  return [record.name, record.pid, record.startTime, record.granted, ...parts].join("\u0000");
}

export function commandOf({ executable, arguments: words }: Entry): string {
  return words.length > 0 ? words.join(" ") : executable;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/ \(deleted\)$/, "");
}
