import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { RuleText } from "@bulwark/model";
import { loadRules, ruleTextAt } from "@bulwark/rules";

const folder = join(import.meta.dirname, "../../../../content/rules");

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
  const texts = new Map(documents.map(({ name, text }) => [name, text]));
  const { ruleset } = loadRules(documents);
  return new Map(
    ruleset.rules.map(({ id, file, line }) => {
      const text = ruleTextAt(texts.get(file) ?? "", line);
      return [id, { file: basename(file), line, text }];
    }),
  );
}
