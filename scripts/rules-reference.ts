/** Writes docs/rules.md from content/rules. A test holds that it is up to date. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadRules, rulesReference } from "@bulwark/rules";

const root = join(import.meta.dirname, "..");
const files = globSync("content/rules/*.yaml", { cwd: root, exclude: ["**/*.cases.yaml"] }).toSorted();
const documents = files.map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));
writeFileSync(join(root, "docs/rules.md"), rulesReference(loadRules(documents).ruleset.rules));
