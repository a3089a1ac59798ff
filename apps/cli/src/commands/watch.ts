import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { startEarly } from "../watch/early.ts";

const usage = `Usage: bulwark watch [--rules FILE…] [--record FILE] [--stats]
       bulwark watch --replay FILE [--rules FILE…] [--stats]

What containers of this machine do, judged by detectors and rules; one line for
each alert, until it is stopped (Ctrl-C). Needs root; no server, no network.

  --rules FILE    rules in Falco's language after those that come with Bulwark;
                  may be given more than once
  --record FILE   write down what is seen, arguments of programs among it
  --replay FILE   judge a recording again: the same alerts, or those of new rules
  --host          the host's own processes, too
  --stats         at the end: events, alerts, losses (on standard error)
  --format json   alerts as JSON, one a line
`;

const options = {
  rules: { type: "string", multiple: true },
  record: { type: "string" },
  replay: { type: "string" },
  host: { type: "boolean" },
  stats: { type: "boolean" },
  format: { type: "string" },
} as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const { format, record, replay, rules = [], host = false, stats = false } = values;
  if (format !== undefined && format !== "json" && format !== "text") {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: "text or json" });
  }
  if (record !== undefined && replay !== undefined) {
    throw new UsageError("usage", "both --record and --replay", { remedy: "record first, then replay" });
  }
  await using early = replay === undefined ? startEarly({ host }) : undefined;
  const { openJudge, judgeLive, judgeRecording } = await import("../watch/judge.ts");
  const judge = openJudge({ rules, host, json: format === "json", io });
  const seen = early === undefined ? judgeRecording(judge, replay ?? "") : await judgeLive(judge, early, record);
  if (stats) io.stderr.write(`${JSON.stringify(seen)}\n`);
  return 0;
}

export const watchCommand: Command = { name: "watch", summary: "alerts of this machine", usage, run };
