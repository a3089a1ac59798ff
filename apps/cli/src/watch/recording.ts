import { createWriteStream, readFileSync } from "node:fs";
import { once } from "node:events";
import { errorText } from "@bulwark/model/plain";
import type { Owner } from "@bulwark/detect";
import type { ProcessRecord, SensorRecord } from "@bulwark/sensor";
import { UsageError } from "../local/options.ts";

/** A line of a recording: what the kernel told and when, what a look at a shell found, or whose the processes of a cgroup are. */
export type Line =
  | { readonly look: Look; readonly at: number }
  | { readonly record: SensorRecord; readonly at: number }
  | { readonly cgroups: string; readonly owner: Owner };

/** The standard descriptors of a process, looked at while it ran. */
export type Look = Pick<ProcessRecord, "pid" | "startTime" | "stdio">;

/** Writes what a watch sees, so that it can be judged again. Owners are written once, and again when they change. */
export function openRecording(file: string) {
  const stream = createWriteStream(file, { mode: 0o600 });
  const owners = new Map<string, string>();
  let failure: Error | undefined;
  stream.on("error", (error) => (failure = error));
  const write = (line: Line): void => void stream.write(`${JSON.stringify(line, toPlain)}\n`);
  return {
    record: (record: SensorRecord, at: number): void => write({ record, at }),
    look: (look: Look, at: number): void => write({ look, at }),
    owner(cgroups: string, owner: Owner): void {
      const known = JSON.stringify(owner);
      if (owners.get(cgroups) === known) return;
      owners.set(cgroups, known);
      write({ cgroups, owner });
    },
    /** Raises where not all of it is on the disk. */
    async close(): Promise<void> {
      stream.end();
      if (!failure) await once(stream, "close");
      if (failure)
        throw new UsageError("usage", `${file}: ${errorText(failure)}`, { remedy: "record to another place" });
    },
  };
}

/** The lines of a recording; raises a `UsageError` that names the line which is none. */
export function readRecording(file: string): Line[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError("usage", `${file}: ${errorText(error)}`, { remedy: "name a file of bulwark watch --record" });
  }
  const lines = text.split("\n");
  // The last line may have been cut off with the machine's power.
  return lines.flatMap((line, index): Line[] => {
    if (line === "") return [];
    try {
      const read = JSON.parse(line, fromPlain) as Line;
      if ("record" in read || "look" in read || "cgroups" in read) return [read];
      throw new Error("neither a record, a look nor an owner");
    } catch (error) {
      if (index === lines.length - 1) return [];
      const remedy = "name a file of bulwark watch --record";
      throw new UsageError("usage", `${file}:${index + 1}: no line of a recording: ${errorText(error)}`, { remedy });
    }
  });
}

/** JSON has no 64-bit numbers: they are written as `{"n": "1"}`. */
function toPlain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? { n: String(value) } : value;
}

function fromPlain(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("n" in value) || typeof value.n !== "string") return value;
  return Object.keys(value).length === 1 && /^-?\d{1,20}$/.test(value.n) ? BigInt(value.n) : value;
}
