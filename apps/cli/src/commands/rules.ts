import { leftOutReason, needsOf, tracingPrice } from "@bulwark/detect";
import { parseArgs } from "node:util";
import { fieldList, loadRules, problemText, readCases, runCases, type Loaded, type Rule } from "@bulwark/rules";
import type { Command, Io } from "../command.ts";
import { fit, printable } from "../local/text.ts";
import { UsageError } from "../local/options.ts";
import { defaultRules, readRuleFiles, type RuleFiles } from "../rules/files.ts";

const usage = `Usage: bulwark rules check FILE…
       bulwark rules test [FILE…]
       bulwark rules list [FILE…]

Rules in Falco's language: what an event must look like to raise an alert.

  check   read rule files and say what is wrong, where, and how to mend it
  test    run the recorded events beside rule files (NAME.cases.yaml): every rule
          has some at which it fires and some at which it stays quiet
  list    the rules, what they look at and how bad it is

A FILE is a rule file, a folder of them, or - for standard input. Their order
counts: later files may change what earlier ones define. Without a FILE: the
rules that come with Bulwark.

  --strict        check: warnings count, too
  --fields        list: the fields that conditions and outputs may name
  --format json   for programs

Exit codes: 0 all is well, 1 something is wrong (check) or a case failed (test).
`;

const options = {
  strict: { type: "boolean" },
  fields: { type: "boolean" },
  format: { type: "string" },
} as const;

interface Call {
  readonly files: RuleFiles;
  readonly loaded: Loaded;
  readonly json: boolean;
  readonly isStrict: boolean;
  readonly io: Io;
}

const verbs: Readonly<Record<string, (call: Call) => number>> = { check: runCheck, test: runTest, list: runList };

async function run(args: string[], io: Io): Promise<number> {
  const [verb = "", ...rest] = args;
  const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!act) {
    throw new UsageError("usage", verb === "" ? "says nothing to do" : `no such thing to do: ${verb}`, {
      remedy: "say check, test or list; bulwark rules --help",
    });
  }
  const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true });
  if (values.format !== undefined && values.format !== "json" && values.format !== "text") {
    throw new UsageError("usage", `--format ${values.format}: no such format`, { remedy: "text or json" });
  }
  const json = values.format === "json";
  if (values.fields === true) return listFields(io, json);
  if (verb === "check" && positionals.length === 0) {
    throw new UsageError("usage", "check needs a FILE", { remedy: "bulwark rules check my-rules.yaml" });
  }
  const files = readRuleFiles(positionals.length > 0 ? positionals : [defaultRules]);
  return act({ files, loaded: loadRules(files.rules), json, isStrict: values.strict === true, io });
}

function runCheck({ loaded, json, isStrict, io }: Call): number {
  const { ruleset, errors, warnings } = loaded;
  const isBad = errors.length > 0 || (isStrict && warnings.length > 0);
  const { asks, traced, unserved, leftOut } = needsOf(ruleset.rules);
  if (json) {
    const needs = { ...asks, traced: traced.map(({ name }) => name), unserved: unserved.map(({ name }) => name) };
    io.stdout.write(`${JSON.stringify({ rules: ruleset.rules.length, errors, warnings, ...needs }, null, 2)}\n`);
    return isBad ? 1 : 0;
  }
  tellProblems(loaded, io.stdout);
  const off = ruleset.rules.filter(({ isEnabled }) => !isEnabled).length;
  const counts = [`${ruleset.rules.length} rules are sound`, off > 0 && `${off} of them off`];
  const problems = [
    errors.length > 0 && `${errors.length} errors`,
    warnings.length > 0 && `${warnings.length} warnings`,
  ];
  io.stdout.write(`${[...counts, ...problems].filter(Boolean).join(", ")}\n`);
  if (traced.length > 0) {
    const names = traced.map(({ name }) => printable(name)).join("; ");
    io.stdout.write(`${traced.length} need ${asks.calls.join(", ")} traced: ${tracingPrice} (${names})\n`);
  }
  if (leftOut > 0) io.stdout.write(`${leftOut} are left out: ${leftOutReason}\n`);
  for (const { file, line, name, eventTypes = [] } of unserved) {
    const what = eventTypes.map(printable).join(", ");
    io.stdout.write(
      `${printable(`${file}:${line}: ${name}`)} waits for ${what}, which Bulwark's sensor does not tell\n`,
    );
  }
  return isBad ? 1 : 0;
}

function runTest({ files, loaded, json, io }: Call): number {
  const cases = files.cases.flatMap(({ name, text }) => {
    try {
      return readCases(text);
    } catch (error) {
      throw new UsageError("usage", `${name}: ${error instanceof Error ? error.message : String(error)}`, {
        remedy: "see the cases beside the rules that come with Bulwark",
      });
    }
  });
  const results = runCases(loaded.ruleset, cases, { all: true });
  const failed = results.filter(({ failure }) => failure !== undefined);
  if (json) io.stdout.write(`${JSON.stringify({ errors: loaded.errors, results }, null, 2)}\n`);
  else {
    tellProblems({ ...loaded, warnings: [] }, io.stdout);
    for (const { rule, what, failure } of failed)
      io.stdout.write(`FAIL ${printable(`${rule}: ${what}: ${failure}`)}\n`);
    const rules = loaded.ruleset.rules.length;
    io.stdout.write(`${rules} rules, ${results.length - failed.length} of ${results.length} cases as they should be\n`);
  }
  return failed.length > 0 || loaded.errors.length > 0 ? 1 : 0;
}

function runList({ loaded, json, io }: Call): number {
  const { rules } = loaded.ruleset;
  if (json) {
    io.stdout.write(`${JSON.stringify(rules.map(summary), null, 2)}\n`);
    return loaded.errors.length > 0 ? 3 : 0;
  }
  tellProblems({ ...loaded, warnings: [] }, io.stderr);
  for (const rule of rules) {
    const types = rule.source === "syscall" ? (rule.eventTypes?.join(",") ?? "every event") : rule.source;
    const state = rule.isEnabled ? rule.severity : "off";
    io.stdout.write(
      `${fit(state, 9)} ${fit(rule.name, 60)} ${fit(rule.techniques.join(" "), 20)} ${fit(types, 40).trimEnd()}\n`,
    );
  }
  return loaded.errors.length > 0 ? 3 : 0;
}

function summary(rule: Rule) {
  const { id, name, source, severity, priority, isEnabled, techniques, tactics, tags, eventTypes, file, line } = rule;
  const { description, check, remedy } = rule;
  return {
    id,
    name,
    source,
    severity,
    priority,
    isEnabled,
    techniques,
    tactics,
    tags,
    eventTypes,
    description,
    check,
    remedy,
    file,
    line,
  };
}

function tellProblems({ errors, warnings }: Pick<Loaded, "errors" | "warnings">, stream: NodeJS.WritableStream): void {
  for (const problem of [...errors, ...warnings]) {
    stream.write(`${problemText(problem).split("\n").map(printable).join("\n")}\n\n`);
  }
}

function listFields(io: Io, json: boolean): number {
  const all = fieldList();
  if (json) io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else {
    for (const { source, name, type } of all) io.stdout.write(`${source.padEnd(10)} ${name.padEnd(48)} ${type}\n`);
  }
  return 0;
}

export const rulesCommand: Command = { name: "rules", summary: "rules in Falco's language", usage, run };
