import { parseArgs, styleText } from "node:util";
import { caseProblems, casesOf, loadLibrary, type LibraryPolicy } from "@bulwark/admission";
import {
  aboutOf,
  imageCaseProblems,
  imageCasesOf,
  loadImagePolicies,
  type ImagePolicyFile,
} from "@bulwark/imagepolicy";
import { errorText } from "@bulwark/model/plain";
import { ownLibrary } from "../check/manifest.ts";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

const usage = `Usage: bulwark policy list [DIR]
       bulwark policy test [DIR]

Admission policies: ValidatingAdmissionPolicy as Kubernetes has it, and ImagePolicy,
one file each. list shows them, test runs the cases that lie beside them
(NAME.cases.yaml): each must be allowed or denied as it says, and what a fix mends
must then be allowed. Without DIR it is the library of Bulwark.

  --format json   for programs

test ends with exit code 1 when a case does not hold, 3 when a policy is wrong.
`;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: { format: { type: "string" } }, allowPositionals: true });
  const [verb, folder = ownLibrary, ...more] = positionals;
  if ((verb !== "list" && verb !== "test") || more.length > 0) {
    throw new UsageError("usage", "say list or test, and one folder", { remedy: "bulwark policy --help" });
  }
  const told = new Set<string>();
  const tell = (error: unknown): void => {
    if (!told.has(errorText(error))) stderr.write(`${printable(errorText(error))}\n`);
    told.add(errorText(error));
  };
  const policies = { library: loadLibrary(folder, tell), images: loadImagePolicies(folder, tell) };
  const json = values.format === "json";
  const code = verb === "list" ? list(policies, json, stdout) : await test(policies, json, stdout);
  return code === 0 && told.size > 0 ? 3 : code;
}

interface Policies {
  readonly library: readonly LibraryPolicy[];
  readonly images: readonly ImagePolicyFile[];
}

/** What both kinds are shown with. */
function rowsOf({
  library,
  images,
}: Policies): Pick<LibraryPolicy, "name" | "category" | "title" | "severity" | "why" | "remedy" | "fix">[] {
  return [...library, ...images.map(({ policy }) => ({ ...aboutOf(policy), category: "images", fix: undefined }))];
}

function list(policies: Policies, json: boolean, stdout: NodeJS.WritableStream): number {
  const all = rowsOf(policies);
  if (json) {
    const rows = all.map(({ name, category, title, severity, why, remedy, fix }) => ({
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
  for (const [category, group] of Map.groupBy(all, (policy) => policy.category)) {
    stdout.write(`${styleText("bold", category || "policies")}\n`);
    for (const { name, severity, title, fix } of group) {
      stdout.write(`  ${severity.padEnd(9)} ${name.padEnd(32)} ${title}${fix ? styleText("green", " (fix)") : ""}\n`);
    }
  }
  stdout.write(`${all.length} policies.\n`);
  return 0;
}

async function test({ library, images }: Policies, json: boolean, stdout: NodeJS.WritableStream): Promise<number> {
  const policies = library.length + images.length;
  const cases = [...library.map(casesOf), ...images.map(imageCasesOf)].reduce((sum, some) => sum + some.length, 0);
  const problems = (await Promise.all([...library.map(caseProblems), ...images.map(imageCaseProblems)])).flat();
  if (json) stdout.write(`${JSON.stringify({ policies, cases, problems }, null, 2)}\n`);
  else {
    for (const problem of problems) stdout.write(`${printable(problem)}\n`);
    stdout.write(
      `${policies} policies, ${cases} cases, ${problems.length === 0 ? "all hold" : `${problems.length} problems`}.\n`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}

export const policyCommand: Command = { name: "policy", summary: "admission policies", usage, run };
