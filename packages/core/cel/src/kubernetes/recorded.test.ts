import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { compile } from "../compile.ts";
import { CelError } from "../errors.ts";
import { formatDouble, plainDouble } from "../number.ts";
import { formatType } from "../types.ts";
import { adapt, Double, isList, Optional, typeOf, Uint, type Value } from "../values.ts";
import { kubernetesEnvironment } from "./index.ts";

/** Where we mean to differ, or the recording does (its integers in `object` are doubles). */
const different = new Set([
  "object.?spec.?replicas.optMap(r, r + 1).orValue(0)", // a double plus an integer there
  "jsonpatch.escapeKey('a/b~c')", // only for mutations there
  "cel.bind(x, 1, x)", // not in Kubernetes
  "'x'.format(['a'])", // refused before it runs there
  "'%s'.format([])",
  "'%5'.format([1])",
  "'%s'.format([l])", // the older way to write lists
]);
/** Costs that differ by what the reference folds or counts once more. */
const maxCostDifferences = 14;

interface Recorded {
  expression: string;
  error?: "compile" | "eval" | "program";
  type?: string;
  value?: string;
  cost?: number;
}

test("expressions give what Kubernetes' API server gives, at the same cost", () => {
  const text = gunzipSync(readFileSync(new URL("../../testdata/kubernetes-1.36.jsonl.gz", import.meta.url)));
  const [head = "", ...lines] = text.toString("utf8").trim().split("\n");
  const { variables } = JSON.parse(head) as { variables: Record<string, unknown> };
  const environment = kubernetesEnvironment({
    variables: { object: "dyn", s: "string", l: "list<string>", n: "int" },
  });
  const problems: string[] = [];
  const costs: string[] = [];
  for (const line of lines) {
    const wanted = JSON.parse(line) as Recorded;
    if (different.has(wanted.expression)) continue;
    const found: Recorded = { expression: wanted.expression };
    try {
      found.error = "compile";
      const program = compile(wanted.expression, environment);
      found.type = formatType(program.type);
      found.error = "eval";
      const value = program.evaluate(variables, { spent: (cost) => (found.cost = cost) });
      found.value = show(value);
      delete found.error;
    } catch (error) {
      assert.ok(error instanceof CelError, `${wanted.expression}: ${String(error)}`);
    }
    // What the reference finds when it prepares to run, we find when we run.
    const stage = wanted.error === "program" ? "eval" : wanted.error;
    if (found.error !== stage) problems.push(`${line}\n  ${JSON.stringify(found)}`);
    else if (found.error === undefined) {
      if (found.value !== wanted.value || found.type !== wanted.type)
        problems.push(`${line}\n  ${JSON.stringify(found)}`);
      if (found.cost !== wanted.cost) costs.push(`${wanted.expression}: ${found.cost}, not ${wanted.cost}`);
    }
  }
  assert.ok(lines.length > 2900);
  assert.deepEqual(problems, []);
  assert.ok(costs.length <= maxCostDifferences, costs.join("\n"));
});

/** As the recording writes values. */
function show(value: Value): string {
  if (value instanceof Optional) return value.value === undefined ? "none" : `optional(${show(value.value)})`;
  if (value === null) return "null";
  if (value instanceof Double) return plainDouble(value.value);
  if (value instanceof Uint) return String(value.value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  return isList(value) ? `[${value.map((item) => show(adapt(item))).join(",")}]` : typeOf(value).name;
}

test("doubles are written as Go writes them", () => {
  const cases: [number, string][] = [
    [1e5, "100000"],
    [1e6, "1e+06"],
    [123_456_789, "1.23456789e+08"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1_234_567.5, "1.2345675e+06"],
    [-0, "-0"],
  ];
  for (const [value, text] of cases) assert.equal(formatDouble(value), text);
});
