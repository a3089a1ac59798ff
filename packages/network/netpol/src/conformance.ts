import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Pod } from "./cluster.ts";
import { createEvaluator } from "./evaluator.ts";
import type { Protocol } from "./ports.ts";

interface Case {
  id: number;
  description: string;
  steps: {
    namespaces: Record<string, Record<string, string>>;
    pods: (Omit<Pod, "ips"> & { ip: string })[];
    policies: unknown[];
    tables: { port: number; protocol: Protocol; rows: string[] }[];
  }[];
}

export interface ConformanceResult {
  readonly cases: number;
  readonly cells: number;
  readonly failed: number;
  /** One line for each. */
  readonly failures: readonly string[];
}

/**
 * Every cell of a file of truth tables: row pod to column pod, `.` allowed, `i` denied by ingress, `e` by egress, `b`
 * by both.
 */
export function runTruthTables(file: string): ConformanceResult {
  const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];
  let cells = 0;
  let failed = 0;
  const failures: string[] = [];
  for (const { id, description, steps } of cases) {
    for (const [step, { namespaces, pods, policies, tables }] of steps.entries()) {
      const evaluator = createEvaluator(
        {
          namespaces: Object.entries(namespaces).map(([name, labels]) => ({ name, labels })),
          pods: pods.map(({ ip, ...pod }) => ({ ...pod, ips: [ip] })),
          policies,
        },
        { ipBlockMatchesPods: true },
      );
      const names = pods.map(({ namespace, name }) => `${namespace}/${name}`);
      for (const { port, protocol, rows } of tables) {
        for (const [row, from] of names.entries()) {
          for (const [column, to] of names.entries()) {
            cells++;
            const expected = rows[row]?.[column];
            const { ingress, egress } = evaluator.connection({ from, to, port, protocol });
            const got = ingress.allowed ? (egress.allowed ? "." : "e") : egress.allowed ? "i" : "b";
            if (got === expected) continue;
            failed++;
            failures.push(
              `${id} (${description}) step ${step}: ${from} to ${to} ${protocol} ${port}: ${got}, not ${expected}`,
            );
          }
        }
      }
    }
  }
  return { cases: cases.length, cells, failed, failures };
}
