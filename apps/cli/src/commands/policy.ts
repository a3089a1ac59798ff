import { parseArgs, styleText } from "node:util";
import { caseProblems, casesOf, loadLibrary, type LibraryPolicy } from "@bulwark/admission";
import { errorText } from "@bulwark/model/plain";
import { ownLibrary } from "../check/manifest.ts";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark policy list [DIR]
       bulwark policy test [DIR]

Admission policies: ValidatingAdmissionPolicy as Kubernetes has it, one file each.
list shows them, test runs the cases that lie beside them (NAME.cases.yaml): each
must be allowed or denied as it says, and what a fix mends must then be allowed.
Without DIR it is the library of Bulwark.

  --format json   for programs

test ends with exit code 1 when a case does not hold, 3 when a policy is wrong.
`;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: { format: { type: "string" } }, allowPositionals: true });
  const [verb, folder = ownLibrary, ...more] = positionals;
  if ((verb !== "list" && verb !== "test") || more.length > 0) {
    throw new UsageError("usage", "say list or test, and one folder", { remedy: "bulwark policy --help" });
  }
  let wrong = 0;
  const library = loadLibrary(folder, (error) => {
    wrong++;
    stderr.write(`${printable(errorText(error))}\n`);
  });
  const json = values.format === "json";
  const code = verb === "list" ? list(library, json, stdout) : test(library, json, stdout);
  return code === 0 && wrong > 0 ? 3 : code;
}

function list(library: readonly LibraryPolicy[], json: boolean, stdout: NodeJS.WritableStream): number {
  if (json) {
    const rows = library.map(({ name, category, title, severity, why, remedy, fix }) => ({
      name,
      category,
      title,
      severity,
      why,
      remedy,
      fixable: fix !== undefined,
    }));
    stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  for (const [category, policies] of Map.groupBy(library, (policy) => policy.category)) {
    stdout.write(`${styleText("bold", category || "policies")}\n`);
    for (const { name, severity, title, fix } of policies) {
      stdout.write(`  ${severity.padEnd(9)} ${name.padEnd(32)} ${title}${fix ? styleText("green", " (fix)") : ""}\n`);
    }
  }
  stdout.write(`${library.length} policies.\n`);
  return 0;
}

function test(library: readonly LibraryPolicy[], json: boolean, stdout: NodeJS.WritableStream): number {
  const cases = library.reduce((sum, policy) => sum + casesOf(policy).length, 0);
  const problems = library.flatMap(caseProblems);
  if (json) stdout.write(`${JSON.stringify({ policies: library.length, cases, problems }, null, 2)}\n`);
  else {
    for (const problem of problems) stdout.write(`${printable(problem)}\n`);
    stdout.write(
      `${library.length} policies, ${cases} cases, ${problems.length === 0 ? "all hold" : `${problems.length} problems`}.\n`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}

export const policyCommand: Command = { name: "policy", summary: "admission policies", usage, run };
