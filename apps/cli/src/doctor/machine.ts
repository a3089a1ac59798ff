import { existsSync } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { systemCode } from "@bulwark/model/plain";
import { failed, off, ok, type Finding, type ProbeContext } from "./probe.ts";

export async function port({ config }: ProbeContext): Promise<Finding> {
  const { address, port } = config.server;
  const place = `${address}:${port}`;
  const problem = await new Promise<string | undefined>((done) => {
    const server = createServer();
    server.once("error", (error) => done(systemCode(error) ?? error.message));
    server.listen(port, address, () => server.close(() => done(undefined)));
  });
  if (problem === undefined) return ok("port", `${place} is free`);
  if (problem === "EADDRINUSE") {
    return off("port", `${place} is taken`, "that may be a running Bulwark; if not, use another: bulwark up --port N");
  }
  return failed("port", `${place} cannot be listened on (${problem})`, "set server.address and server.port");
}

const roomNeeded = 2e9;

export async function disk({ config }: ProbeContext): Promise<Finding> {
  let folder = resolve(config.data);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${(free / 1e9).toFixed(1)} GB free at ${folder}`;
  if (free >= roomNeeded) return ok("disk", text);
  return failed("disk", text, "free some space, or name another folder in `data`: under 2 GB events may be refused");
}

/** A clock that stands before the day on which this copy of Bulwark was written is wrong. */
export async function clock(): Promise<Finding> {
  const written = (await stat(join(import.meta.dirname, "../../package.json"))).mtimeMs;
  const now = new Date();
  if (now.getTime() + 86_400_000 < written) {
    return failed(
      "clock",
      now.toISOString(),
      "the clock is behind this copy of Bulwark: set it (timedatectl set-ntp true)",
    );
  }
  const synchronised = existsSync("/run/systemd/timesync/synchronized") || existsSync("/run/chrony");
  if (synchronised) return ok("clock", `${now.toISOString()}, kept by NTP`);
  return ok("clock", `${now.toISOString()}, nobody seen who keeps it`);
}
