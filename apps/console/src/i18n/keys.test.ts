import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

const root = join(import.meta.dirname, "..");
const en = texts("en");
const zh = texts("zh");
const { keys: usedKeys, prefixes: usedPrefixes } = uses();

/** Texts for words that come from outside; what is asked for is known only while it runs (`known.ts`). */
const open = ["evidence.", "evidenceValues.", "techniques.", "counters.", "components.", "unfit.", "kubeFacts."];

describe("translations", () => {
  test("every language has the same texts", () => {
    assert.deepEqual([...names(zh)].sort(), [...names(en)].sort());
  });

  test("every text has the plural forms of its language", () => {
    for (const [language, all] of Object.entries({ en, zh })) {
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      const plural = [...all.keys()].filter((key) => key.endsWith("_other")).map((key) => key.replace(/_other$/, ""));
      for (const key of plural) {
        for (const form of forms) assert.ok(all.has(`${key}_${form}`), `${language}: ${key}_${form} is missing`);
      }
    }
  });

  test("a text has the same places to fill in every language", () => {
    for (const [key, text] of en) {
      const other = zh.get(key);
      if (other !== undefined) assert.deepEqual(places(other), places(text), key);
    }
  });

  test("no text is empty", () => {
    for (const all of [en, zh]) {
      for (const [key, text] of all) assert.notEqual(text.trim(), "", key);
    }
  });

  test("every key that the code asks for is there", () => {
    const known = names(en);
    assert.ok(usedKeys.size > 100, "the code's keys were not found");
    for (const key of usedKeys) assert.ok(known.has(key), `${key} is missing`);
    for (const prefix of usedPrefixes) {
      assert.ok(
        [...known].some((key) => key.startsWith(prefix)),
        `nothing begins with ${prefix}`,
      );
    }
  });

  test("no key is there that nothing asks for", () => {
    const prefixes = [...usedPrefixes, ...open];
    const unused = [...names(en)].filter(
      (key) => !usedKeys.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)),
    );
    assert.deepEqual(unused, []);
  });
});

function texts(language: string): Map<string, string> {
  return new Map(flatten(JSON.parse(readFileSync(join(root, `i18n/${language}.json`), "utf8")) as Tree));
}
interface Tree {
  [key: string]: string | Tree;
}

function* flatten(tree: Tree, path = ""): Generator<[string, string]> {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") yield [path + key, value];
    else yield* flatten(value, `${path}${key}.`);
  }
}

/** Keys as the code says them, without the form of the plural. */
function names(all: Map<string, string>): Set<string> {
  return new Set([...all.keys()].map((key) => key.replace(/_(?:zero|one|two|few|many|other)$/, "")));
}

function places(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();
}

/** `t("a.b")` is a use of a key; of t(`a.${b}`) only the beginning is known. */
function uses(): { keys: Set<string>; prefixes: Set<string> } {
  const keys = new Set<string>();
  const prefixes = new Set<string>();
  for (const file of globSync("**/*.{ts,tsx}", { cwd: root })) {
    if (file.endsWith(".test.ts")) continue;
    const code = readFileSync(join(root, file), "utf8");
    for (const match of code.matchAll(/\bt\(\s*"([^"]+)"/g)) keys.add(match[1] ?? "");
    for (const match of code.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)) prefixes.add(match[1] ?? "");
  }
  return { keys, prefixes };
}
