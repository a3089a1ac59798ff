import { parseArgs } from "node:util";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { jsonLine } from "@bulwark/model/plain";
import { startEarly } from "../watch/early.ts";
import type { JudgeOptions } from "../watch/judge.ts";

const usage = `Usage: bulwark watch [--rules FILE…] [--record FILE] [--stats]
       bulwark watch --replay FILE [--rules FILE…] [--stats]
       bulwark watch --events FILE|-… [--rules FILE…] [--stats]

What containers of this machine do, judged by detectors and rules; one line for
each alert, until it is stopped (Ctrl-C). Needs root; no server, no network.

With --events it judges what Falco (json_output) or Tetragon (tetra getevents,
export log) have seen, of any machine, without root:
  kubectl logs -f -n kube-system ds/tetragon -c export-stdout | bulwark watch --events -
Alerts of Falco are told as they are; events of Tetragon go through the same
detectors and rules as Bulwark's own, as far as Tetragon tells what they ask for.

  --rules FILE    rules in Falco's language after those that come with Bulwark;
                  may be given more than once. A file that changes is read again;
                  while one is broken, the rules before that go on
  --record FILE   write down what is seen, arguments of programs among it
  --replay FILE   judge a recording again: the same alerts, or those of new rules
  --events FILE   events of Falco and Tetragon as JSON, one a line, in any mix;
                  - is standard input; may be given more than once. Exit code 3
                  where lines were broken or a file could not be read to its end
  --host          the host's own processes, too
  --stats         at the end: events, alerts, losses, and by kind what was passed
                  over (on standard error)
  --format json   alerts as JSON, one a line
`;

const options = {
  rules: { type: "string", multiple: true },
  record: { type: "string" },
  replay: { type: "string" },
  events: { type: "string", multiple: true },
  host: { type: "boolean" },
  stats: { type: "boolean" },
  format: { type: "string" },
} as const;

async function run(args: string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args, options });
  const { format, record, replay, events, rules = [], host = false, stats = false } = values;
  if (format !== undefined && format !== "json" && format !== "text") {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: "text or json" });
  }
  if (record !== undefined && replay !== undefined) {
    throw new UsageError("usage", "both --record and --replay", { remedy: "record first, then replay" });
  }
  if (events !== undefined && (record !== undefined || replay !== undefined)) {
    const remedy = "judge events, or record and replay what this machine's sensor sees";
    throw new UsageError("usage", `both --events and --${record === undefined ? "replay" : "record"}`, { remedy });
  }
  if (events !== undefined) return watchEvents(events, { rules, host, json: format === "json", io }, stats);
  // Rules of others may need system calls traced, which the sensor is told when it starts; ours do not, and do not hold it up.
  await using ours = replay === undefined && rules.length === 0 ? startEarly({ host }) : undefined;
  const { openJudge, judgeLive, judgeRecording, tellPrice } = await import("../watch/judge.ts");
  const judge = openJudge({ rules, host, json: format === "json", io });
  await using theirs = replay === undefined && rules.length > 0 ? startEarly({ host, ...judge.needs.asks }) : undefined;
  const early = ours ?? theirs;
  if (early) tellPrice(judge, io);
  const seen = early === undefined ? judgeRecording(judge, replay ?? "") : await judgeLive(judge, early, record, io);
  const lost = ["ring", "pipe", "unreadable", "limited", "files"].filter((cause) => (seen[cause] ?? 0) > 0);
  if (lost.length > 0) {
    io.stderr.write(`events were lost: ${lost.map((cause) => `${seen[cause]} ${cause}`).join(", ")}\n`);
  }
  if (stats) io.stderr.write(`${JSON.stringify(seen)}\n`);
  return 0;
}

async function watchEvents(files: string[], options: JudgeOptions, stats: boolean): Promise<number> {
  const { openJudge } = await import("../watch/judge.ts");
  const { judgeEvents, tellLosses } = await import("../watch/events.ts");
  const { io } = options;
  const seen = await judgeEvents(openJudge(options), files, io);
  const isPart = tellLosses(seen, io);
  const { examples: _examples, failed: _failed, ...counters } = seen;
  if (stats) io.stderr.write(jsonLine({ ...counters, passedOver: Object.fromEntries(seen.passedOver) }));
  return isPart ? 3 : 0;
}

export const watchCommand: Command = { name: "watch", summary: "alerts of this machine", usage, run };
