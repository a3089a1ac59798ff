import { sides, toCidrs, type Evaluator, type Protocol } from "@bulwark/netpol";
import type { NetworkPorts, NetworkTable } from "@bulwark/sensor";

/** A pod of this node. */
export interface EnforcedPod {
  /** `namespace/name`. */
  readonly name: string;
  /** Those of its containers: paths in the version 2 hierarchy. */
  readonly cgroups: readonly string[];
}

/** An address of a Service, which pods connect to before it becomes that of a pod. */
export interface ServiceAddress {
  readonly ip: string;
  readonly ports: readonly {
    readonly protocol: Protocol;
    readonly port: number;
    /** Who may answer: a pod (`namespace/name`) or an address, and its port. */
    readonly targets: readonly { readonly end: string; readonly port: number }[];
  }[];
}

/** What of the cluster a node is about. */
export interface Placement {
  readonly pods: readonly EnforcedPod[];
  readonly services?: readonly ServiceAddress[];
  /** Addresses of this node: Kubernetes has traffic between a pod and its node always allowed. */
  readonly node?: readonly string[];
}

const numbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

/**
 * The table that enforces, for pods of one node, their side of what an evaluator says: every connection that the pod begins
 * or is sent. A port of a Service is open where all that may answer are. Pods that are not among the evaluator's are left out:
 * nothing selects them.
 */
export function compileTable(evaluator: Evaluator, { pods, services = [], node = [] }: Placement): NetworkTable {
  const { classes, sets, all, ingress, egress } = sides(evaluator);
  const { cluster } = evaluator;
  const indexOf = new Map(cluster.pods.map(({ namespace, name }, index) => [`${namespace}/${name}`, index]));
  const portsOf = (set: number): "all" | NetworkPorts[] =>
    set === all
      ? "all"
      : (sets[set] ?? []).map(({ protocol, first, last }) => ({ protocol: numbers[protocol], first, last }));

  const rows = new Map<Uint32Array, number>();
  const rowOf = (side: Uint32Array | undefined): number => {
    if (!side || side.every((set) => set === all)) return 0;
    const known = rows.get(side);
    if (known !== undefined) return known;
    rows.set(side, rows.size + 1);
    return rows.size;
  };
  const enforced = pods.flatMap(({ name, cgroups }) => {
    const index = indexOf.get(name);
    const pod = index === undefined ? undefined : cluster.pods[index];
    if (!pod || pod.hostNetwork === true) return [];
    const own = evaluator.classOf(name);
    const of = { ingress: rowOf(ingress[own]), egress: rowOf(egress[own]) };
    return of.ingress + of.egress === 0 ? [] : cgroups.map((cgroup) => ({ cgroup, ...of }));
  });

  const prefixes: { cidr: string; class: number }[] = classes.flatMap(({ pods: members, addresses }, of) => [
    ...addresses.flatMap((range) => toCidrs(range).map((cidr) => ({ cidr, class: of }))),
    ...members.flatMap((member) => {
      const { ips = [], hostNetwork = false } = cluster.pods[member] ?? {};
      return hostNetwork ? [] : ips.map((ip) => ({ cidr: ip, class: of }));
    }),
  ]);
  const cells = [...rows].flatMap(([side, row]) =>
    Array.from(side, (set, of) => ({ row, class: of, ports: portsOf(set) })).filter(({ ports }) => ports.length > 0),
  );

  // Beyond those of the evaluator: a class for each Service, and one for the node.
  let next = classes.length;
  const own = next++;
  for (const ip of node) prefixes.push({ cidr: ip, class: own });
  if (node.length > 0) for (const row of rows.values()) cells.push({ row, class: own, ports: "all" });
  for (const { ip, ports } of services) {
    const of = next++;
    prefixes.push({ cidr: ip, class: of });
    for (const [side, row] of rows) {
      const open = ports.filter(({ protocol, targets }) =>
        targets.every((target) => {
          const set = side[evaluator.classOf(target.end)] ?? 0;
          return (sets[set] ?? []).some(
            (range) => range.protocol === protocol && target.port >= range.first && target.port <= range.last,
          );
        }),
      );
      if (open.length === 0) continue;
      const listed = open.map(({ protocol, port }) => ({ protocol: numbers[protocol], first: port, last: port }));
      cells.push({ row, class: of, ports: listed });
    }
  }
  return { prefixes, cells, pods: enforced };
}
