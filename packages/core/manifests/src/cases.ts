import { existsSync, globSync, readFileSync } from "node:fs";
import { errorText } from "@bulwark/model";
import { parse } from "yaml";

/** YAML files of a folder and its folders that are no cases, in order. */
export function filesWithCases(folder: string): string[] {
  return globSync("**/*.{yaml,yml}", { cwd: folder })
    .filter((file) => !/\.cases\.ya?ml$/.test(file))
    .toSorted();
}

/** A zod schema of a list. */
interface Schema<T> {
  parse(value: unknown): T[];
}

/**
 * The cases beside a file: `NAME.cases.yaml` beside `NAME.yaml`; none where there is no such file. What `wrong` makes of
 * a text is raised of one that cannot be read.
 */
export function casesBeside<T>(file: string, schema: Schema<T>, wrong: (text: string, cause: unknown) => Error): T[] {
  const path = file.replace(/\.(ya?ml)$/, ".cases.$1");
  if (!existsSync(path)) return [];
  try {
    return schema.parse(parse(readFileSync(path, "utf8"), { maxAliasCount: 1000 }));
  } catch (error) {
    const [issue] = error instanceof Error && "issues" in error ? (error.issues as Issue[]) : [];
    const text = issue ? `${issue.path.join(".")}: ${issue.message}` : errorText(error);
    throw wrong(`${path}: ${text}`, error);
  }
}

/** As zod tells it. */
interface Issue {
  path: PropertyKey[];
  message: string;
}

interface Case {
  readonly name: string;
  readonly expect: "allow" | "deny";
}

/** Runs the cases of a policy. One line for each that does not hold, and where there is no case of each kind. */
export async function casesProblems<T extends Case>(
  policy: string,
  cases: readonly T[],
  problemsOf: (item: T) => string[] | Promise<string[]>,
): Promise<string[]> {
  const missing = (["allow", "deny"] as const).filter((kind) => !cases.some(({ expect }) => expect === kind));
  const problems = await Promise.all(
    cases.map(async (item) => (await problemsOf(item)).map((text) => `${policy}: ${item.name}: ${text}`)),
  );
  return [...missing.map((kind) => `${policy}: no case that it must ${kind}`), ...problems.flat()];
}

/** What a verdict has against what a case expects; undefined where it is the one that is expected. */
export function verdictProblem(
  { expect, message }: { expect: "allow" | "deny"; message?: string | undefined },
  allowed: boolean,
  messages: readonly string[],
): string | undefined {
  if (allowed !== (expect === "allow")) return allowed ? "is allowed" : `is denied: ${messages.join("; ")}`;
  if (message === undefined || messages.some((text) => text.includes(message))) return undefined;
  return `the message is "${messages.join("; ")}", without "${message}"`;
}
