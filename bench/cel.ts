/**
 * How fast expressions of policies run once they are compiled, and how fast they compile. Every row has a limit; a
 * missed one fails the run.
 *
 *     node scripts/node.mjs bench/cel.ts
 */
import { pathToFileURL } from "node:url";
import { compile, kubernetesEnvironment } from "@bulwark/cel";

export interface CelBenchRow {
  what: string;
  value: number;
  limit: number;
  kept: boolean;
}

const rounds = 9;
const perRound = 100_000;

const object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-7d4b9", namespace: "shop", labels: { app: "web", tier: "front" } },
  spec: {
    replicas: 3,
    hostNetwork: false,
    containers: ["web", "proxy", "metrics"].map((name) => ({
      name,
      image: `registry.example/shop/${name}:1.2`,
      resources: { limits: { memory: "128Mi", cpu: "500m" }, requests: { memory: "64Mi" } },
      securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ["ALL"] } },
    })),
  },
};

/** By the limit in microseconds for one evaluation: simple ones, and such as policies are made of. */
const expressions: [limit: number, expression: string][] = [
  [0.3, "object.spec.replicas <= 5"],
  [0.3, "object.metadata.namespace == 'shop'"],
  [0.3, "!has(object.spec.hostPID) || !object.spec.hostPID"],
  [0.3, "object.metadata.name.startsWith('web-') && size(object.spec.containers) < 10"],
  [2, "object.spec.containers.all(c, c.image.startsWith('registry.example/'))"],
  [
    2,
    "object.spec.containers.all(c, has(c.securityContext) && has(c.securityContext.runAsNonRoot) && c.securityContext.runAsNonRoot)",
  ],
  [2, "object.spec.containers.all(c, c.?securityContext.?capabilities.?drop.orValue([]).exists(d, d == 'ALL'))"],
  [2, "object.spec.containers.all(c, c.?resources.?limits.?memory.hasValue() && c.?resources.?limits.?cpu.hasValue())"],
  [2, "['app', 'tier'].all(name, name in object.metadata.labels)"],
];

export function run(): CelBenchRow[] {
  const environment = kubernetesEnvironment({ variables: { object: "dyn" } });
  const rows = expressions.map(([limit, expression]) => {
    const program = compile(expression, environment);
    if (program.evaluate({ object }) !== true) throw new Error(`does not hold of the sample: ${expression}`);
    const value = median(() => {
      for (let count = 0; count < perRound; count++) program.evaluate({ object });
    }, perRound);
    return { what: expression, value, limit, kept: value < limit };
  });
  const compiling = median(() => {
    for (const [, expression] of expressions) compile(expression, environment);
  }, expressions.length);
  rows.push({
    what: "reading, checking and compiling one of them",
    value: compiling,
    limit: 500,
    kept: compiling < 500,
  });
  return rows;
}

/** Microseconds for one of `count`: the median of several rounds, for others use the machine too. */
function median(work: () => void, count: number): number {
  const took = Array.from({ length: rounds }, () => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start) / 1000 / count;
  });
  return took.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

export function print(rows: CelBenchRow[]): boolean {
  console.log("CEL, microseconds each");
  for (const { what, value, limit, kept } of rows) {
    console.log(
      `${kept ? "  ok  " : "  MISS"} ${value.toFixed(3).padStart(8)} of ${String(limit).padStart(3)}  ${what}`,
    );
  }
  return rows.every(({ kept }) => kept);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = print(run()) ? 0 : 1;
