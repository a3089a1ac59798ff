import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { detectors as anomalyDetectors } from "@bulwark/anomaly";
import { createDetectors } from "@bulwark/detect";
import { loadRules } from "@bulwark/rules";
import { phrase, type Phrases } from "./phrases.ts";

const root = join(import.meta.dirname, "../../../..");
const [en, zh] = [json("en"), json("zh")] as [Texts, Texts];
const alerts = json("alerts.zh") as { rules: Record<string, Record<string, string>>; phrases: Phrases };

const { rules } = loadRules(
  globSync("content/rules/*.yaml", { cwd: root })
    .filter((file) => !file.endsWith(".cases.yaml"))
    .toSorted()
    .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") })),
).ruleset;

/** What raises alerts in code. */
const sources = globSync(
  ["packages/watch/detect/src/**/*.ts", "packages/network/anomaly/src/**/*.ts", "apps/agent/src/flows.ts"],
  { cwd: root },
)
  .filter((file) => !file.endsWith(".test.ts") && !file.endsWith("/cases.ts"))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");

describe("alerts in both languages", () => {
  test("whatever raises an alert has a title, a description and a remedy in Chinese", () => {
    const blindness = readFileSync(join(root, "packages/watch/detect/src/blindness.ts"), "utf8");
    const blind = [...blindness.matchAll(/^ {2}id: "([\w-]+)",$/gm)].map(([, id = ""]) => id);
    assert.ok(blind.length >= 2, "the alerts of blindness.ts were not found");
    const ids = [
      ...createDetectors().map(({ id }) => id),
      ...anomalyDetectors.map(({ id }) => `network-${id}`),
      ...rules.map(({ id }) => id),
      ...blind,
    ];
    assert.ok(rules.length > 100, "the rules were not found");
    assert.deepEqual(Object.keys(alerts.rules).toSorted(), [...new Set(ids)].toSorted());
    for (const [id, all] of Object.entries(alerts.rules)) {
      assert.deepEqual(Object.keys(all), ["title", "description", "remedy"], id);
      for (const text of Object.values(all)) assert.ok(isChinese(text), `${id}: ${text}`);
    }
  });

  test("every evidence key has a word", () => {
    const inCode = [...sources.matchAll(/\{\s*key: "([\w.]+)",\s*value\b/g)].map(([, key = ""]) => key);
    assert.ok(inCode.length > 50, "the evidence in the code was not found");
    const inRules = rules.flatMap(({ output }) =>
      output.flatMap((part) => (typeof part === "string" ? [] : part.token)),
    );
    assert.ok(inRules.length > 500, "the fields of the rules were not found");
    missesNone("evidence", [...inCode, ...inRules]);
  });

  test("every technique has its name, in English that of MITRE", () => {
    const inCode = [...sources.matchAll(/"(T\d{4}(?:\.\d{3})?)"/g)].map(([, id = ""]) => id);
    assert.ok(inCode.length > 30, "the techniques in the code were not found");
    missesNone("techniques", [...inCode, ...rules.flatMap(({ techniques }) => techniques)]);
    const official = readFileSync(join(root, "content/attack/techniques.yaml"), "utf8");
    for (const [, id = "", name = ""] of official.matchAll(/^(T[\d.]+): "(.+)"$/gm)) {
      const ours = en["techniques"]?.[word(id)];
      if (ours !== undefined) assert.equal(ours, name, id);
    }
  });

  test("the sentences with figures are those that the detectors of anomalies make", () => {
    for (const { id } of anomalyDetectors) {
      const code = readFileSync(join(root, `packages/network/anomaly/src/detectors/${id}.ts`), "utf8");
      const all = Object.entries(alerts.phrases[`network-${id}`] ?? {});
      assert.ok(all.length > 0, `network-${id} has no sentence`);
      for (const [pattern, translation] of all) {
        for (const literal of pattern.split(/\{\w+\}|[(),;]/)) {
          assert.ok(code.includes(literal.trim()), `${id}.ts does not say “${literal}”`);
        }
        assert.deepEqual(places(translation), places(pattern), pattern);
      }
    }
  });

  test("a sentence keeps what came from outside", () => {
    assert.equal(
      phrase(
        alerts.phrases,
        "network-control-plane",
        "the kubelet was called at port 10250 from outside of kube-system",
      ),
      "从 kube-system 之外经端口 10250 访问了 kubelet。",
    );
    assert.equal(phrase(alerts.phrases, "power", "/etc at /host at it (read-only)"), "/etc 挂载到 /host at it（只读）");
    assert.equal(phrase(alerts.phrases, "power", "/etc at /host"), "/etc 挂载到 /host");
    for (const other of [" at ", "at", ""]) assert.equal(phrase(alerts.phrases, "power", other), other);
    assert.equal(phrase(alerts.phrases, "no-such-list", "as it is"), "as it is");
  });
});

function missesNone(part: "evidence" | "techniques", keys: readonly string[]): void {
  for (const [language, all] of Object.entries({ en, zh })) {
    const missing = [...new Set(keys)].filter((key) => all[part]?.[word(key)] === undefined);
    assert.deepEqual(missing, [], `${language}: no word for these`);
  }
}

/** As `known.ts` asks for it. */
function word(key: string): string {
  return key.replaceAll(/[.:]/g, "_");
}

function isChinese(text: string): boolean {
  return /\p{Script=Han}/u.test(text);
}

function places(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).toSorted();
}

function json(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), "utf8"));
}

type Texts = Record<string, Record<string, string>>;
