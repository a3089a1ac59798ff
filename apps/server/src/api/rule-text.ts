import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { loadRules } from "@bulwark/rules";

const folder = join(import.meta.dirname, "../../../../content/rules");

export interface RuleText {
  file: string;
  line: number;
  text: string;
}

let known: Promise<Map<string, RuleText>> | undefined;

/** A rule of Bulwark's own as it is written, by its id. Undefined for a detector, and for rules that only agents have. */
export async function ruleText(id: string): Promise<RuleText | undefined> {
  known ??= readAll();
  known.catch(() => (known = undefined));
  return (await known).get(id);
}

async function readAll(): Promise<Map<string, RuleText>> {
  const documents: { name: string; text: string }[] = [];
  for await (const name of glob("*.yaml", { cwd: folder, exclude: ["*.cases.yaml"] })) {
    documents.push({ name, text: await readFile(join(folder, name), "utf8") });
  }
  documents.sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = new Map(documents.map(({ name, text }) => [name, text.split("\n")]));
  const { ruleset } = loadRules(documents);
  return new Map(
    ruleset.rules.map(({ id, file, line }) => {
      const text = itemAt(lines.get(file) ?? [], line);
      return [id, { file: basename(file), line, text }];
    }),
  );
}

/** From its line to the next item of the list. */
function itemAt(lines: readonly string[], line: number): string {
  const own = lines.slice(line - 1);
  const end = own.findIndex((text, index) => index > 0 && /^(?:- |#|\S)/.test(text));
  return own
    .slice(0, end < 0 ? undefined : end)
    .join("\n")
    .trimEnd();
}
