/**
 * How fast network policies are prepared, asked about one connection, and turned into the whole table of who may
 * connect to whom. Every row has a limit; a missed one fails the run.
 *
 *     node scripts/node.mjs bench/network.ts
 */
import { pathToFileURL } from "node:url";
import { connectivity, createEvaluator, type Cluster, type ConnectionQuery, type Pod } from "@bulwark/netpol";

export interface NetworkBenchRow {
  what: string;
  value: number;
  unit: "µs" | "s" | "MB";
  limit: number;
  kept: boolean;
}

const namespaces = 100;
const appsPerNamespace = 20;
const podsPerApp = 5;
const questions = 200_000;

export function run(): NetworkBenchRow[] {
  const cluster = sampleCluster();
  const rows: NetworkBenchRow[] = [];
  const add = (what: string, value: number, unit: NetworkBenchRow["unit"], limit: number): void => {
    rows.push({ what, value, unit, limit, kept: value < limit });
  };
  const size = `${cluster.pods.length} pods, ${cluster.policies.length} policies`;

  const [evaluator, prepared] = timed(() => createEvaluator(cluster));
  const ends = cluster.pods.map(({ namespace, name }) => `${namespace}/${name}`);
  const external = ["203.0.113.9", "10.1.2.3", "2001:db8::1"];
  const random = sequence(7);
  const asked = Array.from<unknown, ConnectionQuery>({ length: questions }, (_, index) => ({
    from: ends[random(ends.length)] ?? "",
    to: index % 10 === 0 ? (external[random(external.length)] ?? "") : (ends[random(ends.length)] ?? ""),
    port: index % 8 === 0 ? 53 : ([80, 443, 5432, 8080, 9003][random(5)] ?? 80),
    protocol: index % 8 === 0 ? "UDP" : "TCP",
  }));
  for (const query of asked.slice(0, 20_000)) evaluator.connection(query);
  let open = 0;
  // The median of several rounds: others use the machine too.
  const took = Array.from({ length: 7 }, () => {
    open = 0;
    const [, seconds] = timed(() => {
      for (const query of asked) if (evaluator.connection(query).allowed) open++;
    });
    return seconds;
  }).sort((a, b) => a - b)[3];
  if (open === 0 || open === questions) throw new Error("the sample decides nothing: all connections are alike");
  add(
    `one verdict (${size}; ${Math.round((100 * open) / questions)} % allowed)`,
    ((took ?? 0) * 1e6) / questions,
    "µs",
    5,
  );

  const [table, filled] = timed(() => {
    const found = connectivity(evaluator);
    let pairs = 0;
    for (const [from, source] of found.classes.entries()) {
      for (const [to, destination] of found.classes.entries()) {
        if (found.open(from, to) !== 0) pairs += source.pods.length * destination.pods.length;
      }
    }
    return { classes: found.classes.length, pairs };
  });
  const share = ((100 * table.pairs) / cluster.pods.length ** 2).toFixed(2);
  add(`whole table (${size}, ${table.classes} classes; ${share} % of pairs open)`, prepared + filled, "s", 5);
  add("memory of the process with the table", process.memoryUsage().rss / 2 ** 20, "MB", 1024);
  return rows;
}

function timed<T>(work: () => T): [T, number] {
  const start = performance.now();
  const result = work();
  return [result, (performance.now() - start) / 1000];
}

/** Small deterministic numbers (a linear congruence), so that every run asks the same. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** As clusters are: a default denial in every namespace, a few openings for each app, some ranges, rules of the admin. */
function sampleCluster(): Cluster {
  const random = sequence(42);
  const names = Array.from({ length: namespaces }, (_, index) => `team-${index}`);
  const pods: Pod[] = [];
  const policies: unknown[] = [];
  for (const [number, namespace] of names.entries()) {
    for (let app = 0; app < appsPerNamespace; app++) {
      for (let pod = 0; pod < podsPerApp; pod++) {
        pods.push({
          namespace,
          name: `app-${app}-${pod}`,
          labels: { app: `app-${app}`, tier: ["web", "api", "db"][app % 3] ?? "web" },
          ips: [`10.${number}.${app}.${pod + 1}`],
          ports: [{ name: "http", containerPort: 8080 }],
        });
      }
    }
    policies.push(networkPolicy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }));
    for (let extra = 0; extra < 9; extra++) policies.push(opening(namespace, extra, random));
  }
  for (let priority = 0; priority < 20; priority++) policies.push(adminPolicy(priority));
  return {
    namespaces: names.map((name, n) => ({ name, labels: { env: n % 2 === 0 ? "prod" : "test" } })),
    pods,
    policies,
  };
}

function networkPolicy(namespace: string, name: string, spec: object): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

function opening(namespace: string, extra: number, random: (below: number) => number): object {
  const app = (): object => ({ matchLabels: { app: `app-${random(appsPerNamespace)}` } });
  const other = { matchLabels: { "kubernetes.io/metadata.name": `team-${random(namespaces)}` } };
  const port = [80, 443, 5432, 9090, "http"][random(5)];
  return networkPolicy(namespace, `open-${extra}`, {
    podSelector: extra % 3 === 0 ? {} : app(),
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [{ podSelector: app() }, { namespaceSelector: other, podSelector: app() }], ports: [{ port }] }],
    egress: [
      { to: [{ podSelector: {} }], ports: [{ port: 8000, endPort: 8000 + random(500) }] },
      { to: [{ ipBlock: { cidr: `10.${random(200)}.0.0/16`, except: [] } }] },
      { ports: [{ port: 53, protocol: "UDP" }] },
    ],
  });
}

function adminPolicy(priority: number): object {
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: `admin-${priority}` },
    spec: {
      tier: "Admin",
      priority,
      subject: { namespaces: { matchLabels: { env: priority % 2 === 0 ? "prod" : "test" } } },
      ingress: [
        {
          action: (["Accept", "Deny", "Pass"] as const)[priority % 3],
          from: [{ namespaces: { matchLabels: { env: priority % 4 === 0 ? "prod" : "test" } } }],
          protocols: [{ tcp: { destinationPort: { number: 9000 + priority } } }],
        },
      ],
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const rows = run();
  for (const { what, value, unit, limit, kept } of rows) {
    console.log(
      `${kept ? "kept  " : "MISSED"} ${value.toFixed(2).padStart(8)} ${unit.padEnd(2)} (limit ${limit} ${unit})  ${what}`,
    );
  }
  process.exitCode = rows.every(({ kept }) => kept) ? 0 : 1;
}
