/**
 * How fast expressions of policies run once they are compiled, and how fast they compile. Every row has a limit; a
 * missed one fails the run. They run as in a server: the policies of the library have been asked before about the objects
 * of their cases, so that nothing is compiled for one expression and one shape of object, and rows take turns.
 *
 *     node scripts/node.mjs bench/cel.ts
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { admissionOf, casesOf, loadLibrary, requestFor } from "@bulwark/admission";
import { compile, kubernetesEnvironment } from "@bulwark/cel";

export interface CelBenchRow {
  what: string;
  value: number;
  limit: number;
  kept: boolean;
}

const rounds = 25;
const perRound = 20_000;

/** Read as a server reads it. */
const object: unknown = JSON.parse(
  JSON.stringify({
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
  }),
);

/** By the limit in microseconds for one evaluation: simple ones, of one comparison or call, and such as policies are made of. */
const expressions: [limit: number, expression: string][] = [
  [0.3, "object.spec.replicas <= 5"],
  [0.3, "object.metadata.namespace == 'shop'"],
  [0.3, "!has(object.spec.hostPID) || !object.spec.hostPID"],
  [0.3, "object.metadata.name.startsWith('web-')"],
  [0.3, "size(object.spec.containers) < 10"],
  [2, "object.metadata.name.startsWith('web-') && size(object.spec.containers) < 10"],
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
  askLibrary();
  const environment = kubernetesEnvironment({ variables: { object: "dyn" } });
  const programs = expressions.map(([, expression]) => compile(expression, environment));
  const variables = { object };
  const works = programs.map((program) => {
    if (program.evaluate(variables) !== true) throw new Error(`does not hold of the sample: ${program.expression}`);
    return () => void program.evaluate(variables);
  });
  const times = inTurn(works, perRound);
  const rows = expressions.map(([limit, what], index) => rowOf(what, times[index], limit));
  const [compiling] = inTurn([() => expressions.forEach(([, expression]) => compile(expression, environment))], 20);
  return [...rows, rowOf("reading, checking and compiling one of them", (compiling ?? NaN) / expressions.length, 500)];
}

function rowOf(what: string, value = Number.NaN, limit: number): CelBenchRow {
  return { what, value, limit, kept: value < limit };
}

/** Every policy of the library about every object of their cases, a few times. */
function askLibrary(): void {
  const library = loadLibrary(join(import.meta.dirname, "../content/policies"));
  const admission = admissionOf(library, { namespaceOf: (name) => ({ metadata: { name } }), paramsOf: () => [] });
  const objects = library.flatMap(casesOf).map(({ object: one }) => one);
  for (let round = 0; round < 5; round++) for (const one of objects) admission.review(requestFor(one));
}

/** Microseconds of processor of each: the median of rounds in which they take turns, for others use the machine too. */
function inTurn(works: readonly (() => void)[], count: number): number[] {
  const took = works.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const before = process.cpuUsage();
      for (let time = 0; time < count; time++) work();
      const { user, system } = process.cpuUsage(before);
      took[index]?.push((user + system) / count);
    }
  }
  return took.map((list) => list.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN);
}

export function print(rows: CelBenchRow[]): boolean {
  console.log("CEL, microseconds of processor each");
  for (const { what, value, limit, kept } of rows) {
    console.log(
      `${kept ? "  ok  " : "  MISS"} ${value.toFixed(3).padStart(8)} of ${String(limit).padStart(3)}  ${what}`,
    );
  }
  return rows.every(({ kept }) => kept);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = print(run()) ? 0 : 1;
