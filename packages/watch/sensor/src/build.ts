import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { SensorError } from "./error.ts";

const folder = join(import.meta.dirname, "..");

/** Where `make` puts the program. */
export const sensorBinary = join(folder, "build/bulwark-sensor");

/** Debian packages that building takes, with `--no-install-recommends`. */
export const sensorBuildPackages = ["clang", "libbpf-dev", "libc6-dev", "make"] as const;

/** Builds the program where it is missing or older than its sources. Throws `SensorError` with code `build`. */
export async function buildSensor(): Promise<void> {
  try {
    await promisify(execFile)("make", ["-C", folder, "--no-print-directory", "-s"]);
  } catch (cause) {
    const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    const line = output.split("\n").find((text) => text.includes("error")) ?? output.split("\n")[0] ?? "";
    throw new SensorError("build", `the sensor cannot be built: ${line || String(cause)}`, {
      remedy: `apt-get install --no-install-recommends ${sensorBuildPackages.join(" ")}`,
      cause,
    });
  }
}
