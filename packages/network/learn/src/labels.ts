export type Labels = Readonly<Record<string, string>>;

/** Set anew with every roll-out, node or release: a policy that names them stops to match. */
const volatile = new Set([
  "pod-template-hash",
  "controller-revision-hash",
  "pod-template-generation",
  "rollouts-pod-template-hash",
  "apps.kubernetes.io/pod-index",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-completion-index",
  "batch.kubernetes.io/job-name",
  "controller-uid",
  "job-name",
  "app.kubernetes.io/version",
  "app.kubernetes.io/managed-by",
  "helm.sh/chart",
  "chart",
  "heritage",
  "version",
  "security.istio.io/tlsMode",
  "service.istio.io/canonical-revision",
]);
const podName = "statefulset.kubernetes.io/pod-name";

/** Labels that stay with a workload; at the grain of pods with the one that tells pods of a StatefulSet apart. */
export function lasting(labels: Labels, pods: boolean): Labels {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !volatile.has(key) && !key.startsWith("topology.kubernetes.io/") && (pods || key !== podName),
    ),
  );
}

/** The pairs that all have. */
export function common(all: readonly Labels[]): Labels {
  const [first = {}, ...rest] = all;
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => rest.every((other) => other[key] === value)),
  );
}

function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** By what people name things by, before the others in the order of the alphabet. */
const preferred = [
  podName,
  "app.kubernetes.io/name",
  "app",
  "k8s-app",
  "app.kubernetes.io/component",
  "component",
  "app.kubernetes.io/instance",
  "name",
];
const mostCandidates = 16;

/**
 * The fewest of `own` that select none of `others`; all of them where even these do (`exact` is false then). Never
 * empty unless `own` is.
 */
export function leastSelector(own: Labels, others: readonly Labels[]): { selector: Labels; exact: boolean } {
  const rank = (key: string): number => (preferred.includes(key) ? preferred.indexOf(key) : preferred.length);
  const pairs = Object.entries(own)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .slice(0, mostCandidates);
  for (let size = 1; size <= Math.min(3, pairs.length); size++) {
    for (const subset of subsets(pairs, size)) {
      const selector = Object.fromEntries(subset);
      if (!others.some((labels) => selects(selector, labels))) return { selector: sorted(selector), exact: true };
    }
  }
  return { selector: sorted(own), exact: !others.some((labels) => selects(own, labels)) };
}

function* subsets<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at <= items.length - size; at++) {
    for (const rest of subsets(items, size - 1, at + 1)) yield [items[at] as T, ...rest];
  }
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
