import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { updateDatabase } from "@bulwark/advisory";
import { parseConfig, type Config } from "@bulwark/config";
import type { AgentRecord } from "@bulwark/model";
import type { Command, Io } from "../command.ts";
import { replayAttack, type Recording } from "../demo/replay.ts";
import { parseRecording } from "../demo/recording.ts";
import { startControlPlane, welcome } from "../local/control-plane.ts";
import { untilStopped } from "../local/lifetime.ts";
import { UsageError } from "../local/options.ts";

const usage = `Usage: bulwark demo [OPTION…]

Shows Bulwark at work: a temporary store, four containers of a made-up shop, and a
recorded attack on one of them, replayed live through the same detection as on a
real node. Needs no root, no network and no container runtime; leaves nothing
behind. Ctrl-C ends it.

  --port N        where the console listens; 0, the default, takes a free one
  --speed N       how much faster than it was; 1
`;

const node = "demo";
const options = { port: { type: "string" }, speed: { type: "string" } } as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const speed = Number(values.speed ?? 1);
  if (!(speed > 0))
    throw new UsageError("usage", `--speed ${values.speed ?? ""}: not a factor`, { remedy: "--speed 2" });
  const data = await mkdtemp(join(tmpdir(), "bulwark-demo-"));
  try {
    await show(configFor(data, values.port), speed, io);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
  return 0;
}

function configFor(data: string, port: string | undefined): Config {
  const config = parseConfig("", "the demo");
  const number = Number(port ?? 0);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new UsageError("usage", `--port ${port ?? ""}: not a port`, { remedy: "0 to 65535" });
  }
  // What the user's environment names for the real thing is none of the demo's business.
  return { ...config, data, server: { ...config.server, port: number } };
}

async function show(config: Config, speed: number, io: Io): Promise<void> {
  const folder = join(import.meta.dirname, "../demo");
  await updateDatabase({ into: join(config.data, "advisories.db"), from: join(folder, "feeds") });
  const recording: Recording = parseRecording(await readFile(join(folder, "attack.json"), "utf8"));

  await using plane = await startControlPlane(config);
  const token = await plane.server.createAgentToken(node);
  const send = sender(plane.server.url, token);
  io.stdout.write(await welcome(plane.server));
  io.stdout.write(
    "  A recorded attack on a container is being replayed. Ctrl-C ends the demo and leaves nothing behind.\n\n",
  );

  const stopping = new AbortController();
  const replay = replayAttack(recording, { node, speed, send, signal: stopping.signal });
  await untilStopped();
  stopping.abort();
  await replay;
}

/** Batches like an agent's. */
function sender(url: string, token: string): (records: AgentRecord[]) => Promise<void> {
  let first = 1;
  return async (records) => {
    const response = await fetch(`${url}/api/agent/v1/records`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ node, spool: "demo", first, records }),
    });
    if (!response.ok) throw new Error(`the server refused the recording: ${await response.text()}`);
    first += records.length;
  };
}

export const demoCommand: Command = { name: "demo", summary: "a recorded attack replayed live", usage, run };
