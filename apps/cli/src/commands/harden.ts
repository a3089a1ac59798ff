import { statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import {
  applyPlan,
  chosen,
  collectHost,
  evaluateBenchmark,
  listBackups,
  loadLibrary,
  makePlan,
  needsOf,
  undoPlan,
  type Change,
  type Choice,
  type Plan,
} from "@bulwark/benchmark";
import type { CheckResult } from "@bulwark/model";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark harden [OPTION…]
       bulwark harden --undo [NAME]

Mends what bulwark check host finds, where a program may: kernel parameters and
modules by files in sysctl.d and modprobe.d, rights and owners of files, keys in
files of settings. Shows what it would do unless --apply is given. Everything that it
changes is kept before, and --undo puts it back.

  --apply           do it
  --check ID,…      only for these checks
  --set NAME        only for this set of checks; may be repeated
  --level 1         without checks of level 2
  --root DIR        the host whose root is mounted there
  --backups DIR     where what was there is kept; /var/lib/bulwark/harden below the root
  --undo            put back what the last run, or the one that is named, changed
  --list            names of runs that can be taken back

Kernel parameters are loaded by \`sysctl --system\`, or with the next start. Exit code
1 when something that was asked for is left to a person.
`;

const options = {
  apply: { type: "boolean" },
  check: { type: "string" },
  set: { type: "string", multiple: true },
  level: { type: "string" },
  root: { type: "string" },
  backups: { type: "string" },
  undo: { type: "boolean" },
  list: { type: "boolean" },
} as const;

async function run(args: string[], { stdout }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const root = values.root ?? "/";
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError("usage", `--root ${root}: no such folder`, { remedy: "name the folder with the host's root" });
  }
  const backups = values.backups ?? join(root, "var/lib/bulwark/harden");
  if (values.list === true) {
    for (const name of listBackups(backups)) stdout.write(`${name}\n`);
    return 0;
  }
  if (values.undo === true) return undo(root, backups, positionals[0], stdout);

  const wanted = values.check === undefined ? undefined : new Set(values.check.split(","));
  const choice: Choice = { sets: values.set && new Set(values.set), level: values.level === "1" ? 1 : 2 };
  const results = look(root, choice).filter(({ check }) => !wanted || wanted.has(check));
  const plan = makePlan(root, chosen(loadLibrary(), "host", choice), results);
  stdout.write(planText(plan));
  if (values.apply !== true) {
    if (plan.changes.length > 0) stdout.write("\nNothing was changed. bulwark harden --apply does it.\n");
    return 0;
  }
  if (plan.changes.length === 0) return plan.left.length > 0 ? 1 : 0;
  const name = applyPlan(root, plan, backups, Date.now());
  const mended = new Set(plan.changes.flatMap(({ checks }) => checks));
  const still = look(root, choice).filter(({ check, state }) => mended.has(check) && state !== "pass");
  stdout.write(`\nDone; bulwark harden --undo ${name} takes it back.\n`);
  for (const { check, reason } of still) stdout.write(`  ${check} does not hold yet: ${printable(reason)}\n`);
  return plan.left.length > 0 || still.length > 0 ? 1 : 0;
}

function look(root: string, choice: Choice): CheckResult[] {
  const library = loadLibrary();
  const facts = collectHost({ root, needs: needsOf(chosen(library, "host", choice)) });
  return evaluateBenchmark(library, { kind: "host", name: "this host" }, facts, choice).results;
}

function undo(root: string, backups: string, name: string | undefined, stdout: NodeJS.WritableStream): number {
  const [last] = listBackups(backups);
  const which = name ?? last;
  if (which === undefined)
    throw new UsageError("usage", `${backups}: nothing to take back`, { remedy: "see --backups" });
  const { undone, left } = undoPlan(root, backups, which);
  for (const path of undone) stdout.write(`as it was: ${printable(path)}\n`);
  for (const path of left) stdout.write(`left, because somebody changed it since: ${printable(path)}\n`);
  return left.length > 0 ? 1 : 0;
}

function planText({ changes, left }: Plan): string {
  const lines = changes.flatMap(changeText);
  if (changes.length === 0) lines.push("Nothing that a program may mend.");
  if (left.length > 0) lines.push("", styleText("bold", `Left to a person: ${left.length}`));
  for (const { check, reason } of left) lines.push(`  ${check}: ${printable(reason)}`);
  return `${lines.join("\n")}\n`;
}

function changeText(change: Change): string[] {
  const head = `${styleText("bold", printable(change.path))} (${change.checks.join(", ")})`;
  if (change.kind === "mode") {
    const { before, after } = change;
    const text = (one: typeof before): string => `${one.uid}:${one.gid} ${one.mode.toString(8)}`;
    return [head, `  ${text(before)} → ${text(after)}`];
  }
  const old = new Set(change.before?.split("\n"));
  const fresh = new Set(change.after.split("\n"));
  const gone = [...old].filter((line) => line !== "" && !fresh.has(line));
  const added = [...fresh].filter((line) => line !== "" && !old.has(line));
  return [
    head,
    ...gone.map((line) => styleText("red", `  - ${printable(line)}`)),
    ...added.map((line) => styleText("green", `  + ${printable(line)}`)),
  ];
}

export const hardenCommand: Command = { name: "harden", summary: "mend what check host finds", usage, run };
