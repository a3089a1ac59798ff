import { spawn, type SpawnOptions } from "node:child_process";
import { openSync } from "node:fs";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";

/** How a script comes into a container. */
export interface Entrance {
  /** Another user than root. */
  user?: number;
  /** With a terminal, as `kubectl exec -it` has one. */
  terminal?: boolean;
  /** A folder of the host that stays open as descriptor 3 (CVE-2024-21626). */
  leak?: string;
  /** Milliseconds that it may take; a minute by default. */
  patience?: number;
}

/** Runs a command that runs a script in a container. Resolves when it is over, however it ended; raises when it takes too long. */
export async function runIn(
  words: readonly string[],
  { terminal, leak, patience = 60_000 }: Omit<Entrance, "user"> = {},
): Promise<string> {
  const stdio: SpawnOptions["stdio"] = ["ignore", "pipe", "pipe"];
  if (leak !== undefined) stdio.push(openSync(leak, "r"));
  const [program = "", ...rest] =
    terminal === true ? ["script", "--quiet", "--command", words.map(quoted).join(" "), "/dev/null"] : words;
  const child = spawn(program, rest, { stdio, timeout: patience, killSignal: "SIGKILL" });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const closed = new Promise((resolve) => child.once("close", resolve));
  // Not "close" alone: what goes on in the background keeps the pipes.
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) =>
    child.once("exit", (...how) => resolve(how)).once("error", reject),
  );
  // What it said at last is there by now, and may be read after its end was told: in a turn that comes, and is whole.
  await Promise.race([closed, pause(200)]);
  await turn();
  if (signal !== null) throw new Error(`${words.join(" ")}: ${signal}: ${said}`);
  return code === 0 ? said : `${said} (${code})`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
