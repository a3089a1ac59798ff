import { formatAddress, parseAddress } from "./address.ts";
import { podName } from "./connectivity.ts";
import { createEvaluator, type ConnectionQuery, type ConnectionVerdict, type Evaluator } from "./evaluator.ts";
import { portMatches } from "./ports.ts";
import { policyName, type Direction, type PolicyRef } from "./policy.ts";
import { hasBit, type CompiledRule, type Decision } from "./tables.ts";
import type { Pod } from "./cluster.ts";

export interface Explanation {
  readonly query: Required<ConnectionQuery>;
  readonly verdict: ConnectionVerdict;
  readonly egress: SideExplanation;
  readonly ingress: SideExplanation;
  /** What would turn the verdict, one step after another; each was tried, and the last turns it. Empty: no way found. */
  readonly changes: readonly Change[];
}

export interface SideExplanation {
  readonly text: string;
  /** Every rule of every policy that selects the pod in this direction, in the order in which they are asked. */
  readonly rules: readonly RuleOutcome[];
}

export interface RuleOutcome {
  readonly policy: PolicyRef;
  readonly path: string;
  readonly action: "allow" | "deny" | "pass";
  /** `decides`; or why it does not: its ports or peers do not match, or another one decided before. */
  readonly outcome: "decides" | "passes on" | "other port" | "other peer" | "not reached";
}

export interface Change {
  readonly text: string;
  /** To apply; absent where a rule is to be taken out. */
  readonly add?: object;
  readonly remove?: { readonly policy: PolicyRef; readonly path: string };
}

/** Why a connection is allowed or denied, and what would change it. Raises as `Evaluator.connection` does. */
export function explain(evaluator: Evaluator, asked: ConnectionQuery): Explanation {
  const query = { ...asked, protocol: asked.protocol ?? "TCP" };
  const verdict = evaluator.connection(query);
  return {
    query,
    verdict,
    egress: explainSide(evaluator, query, "egress", verdict.egress),
    ingress: explainSide(evaluator, query, "ingress", verdict.ingress),
    changes: changes(evaluator, query, verdict),
  };
}

function explainSide(
  { tables, classOf }: Evaluator,
  { from, to, port, protocol }: Required<ConnectionQuery>,
  direction: Direction,
  decision: Decision,
): SideExplanation {
  const [self, peer] = direction === "ingress" ? [to, from] : [from, to];
  const side = tables[direction][classOf(self)];
  const text = `${direction} ${direction === "ingress" ? "to" : "from"} ${self}: ${decisionText(decision)}`;
  if (!side) return { text, rules: [] };
  const destination = tables.ports[classOf(to)] ?? [];
  const peerClass = classOf(peer);
  let decided = false;
  const ask = (rules: readonly CompiledRule[]): RuleOutcome[] => {
    let passed = false;
    return rules.map(({ policy, rule, action, ports, peers }): RuleOutcome => {
      const outcome = ((): RuleOutcome["outcome"] => {
        if (decided || passed) return "not reached";
        if (!portMatches(ports, protocol, port, destination)) return "other port";
        if (!peers.some(({ members }) => members === null || hasBit(members, peerClass))) return "other peer";
        if (action === "pass") passed = true;
        else decided = true;
        return action === "pass" ? "passes on" : "decides";
      })();
      return { policy: policy.ref, path: rule.path, action, outcome };
    });
  };
  const rules = [...ask(side.admin), ...ask(side.deny), ...ask(side.allow)];
  decided ||= side.isolated !== null;
  return { text, rules: [...rules, ...ask(side.baseline)] };
}

/** What a decision says, in one line. */
export function decisionText(decision: Decision): string {
  const { allowed, reason, policy, path, peerPath, ruleName, isolatedBy, layer7 } = decision;
  switch (reason) {
    case "rule": {
      const named = ruleName === null ? "" : ` "${ruleName}"`;
      const further = layer7 ? " (on the level of ports; its rules for HTTP, DNS or Kafka were not looked at)" : "";
      const where = policy === null ? "" : policyName(policy);
      return `${allowed ? "allowed" : "denied"} by ${where}, ${peerPath ?? path ?? ""}${named}${further}`;
    }
    case "isolated":
      return `denied: no rule of ${listed(isolatedBy.map(policyName))} allows it`;
    case "open":
      return "allowed: no policy that selects the pod decides";
    case "outside":
      return "allowed: not a pod that a policy can select";
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

const mostSteps = 12;

/** Tries one change after another on a copy of the cluster, until the verdict turns. */
function changes(evaluator: Evaluator, query: Required<ConnectionQuery>, { allowed }: ConnectionVerdict): Change[] {
  const steps: Change[] = [];
  let current = evaluator;
  while (steps.length < mostSteps) {
    const verdict = current.connection(query);
    if (verdict.allowed !== allowed) return steps;
    const step = allowed ? closing(current, query, verdict) : opening(current, query, verdict);
    if (!step) return [];
    steps.push(step);
    current = apply(current, step);
  }
  return [];
}

function opening(
  evaluator: Evaluator,
  query: Required<ConnectionQuery>,
  verdict: ConnectionVerdict,
): Change | undefined {
  const direction = verdict.egress.allowed ? "ingress" : "egress";
  const decision = verdict[direction];
  if (decision.reason === "rule") return removal(decision);
  return addition(evaluator, query, direction, true);
}

/** On the side of the destination where that is a pod: who is called decides who may call. */
function closing(
  evaluator: Evaluator,
  query: Required<ConnectionQuery>,
  verdict: ConnectionVerdict,
): Change | undefined {
  const direction = verdict.ingress.reason === "outside" ? "egress" : "ingress";
  const decision = verdict[direction];
  if (decision.reason === "rule") return removal(decision);
  return decision.reason === "open" ? addition(evaluator, query, direction, false) : undefined;
}

function removal({ policy, path, allowed }: Decision): Change | undefined {
  if (policy === null || path === null) return undefined;
  const text = `take ${path} out of ${policyName(policy)}, which ${allowed ? "allows" : "denies"} it`;
  return { text, remove: { policy, path } };
}

function addition(
  { cluster }: Evaluator,
  { from, to, port, protocol }: Required<ConnectionQuery>,
  direction: Direction,
  open: boolean,
): Change | undefined {
  const [self, peer] = direction === "ingress" ? [to, from] : [from, to];
  const pod = findPod(cluster.pods, self);
  if (!pod) return undefined;
  const other = peerOf(findPod(cluster.pods, peer), peer);
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const name = open ? `allow-${direction}-${protocol.toLowerCase()}-${port}` : `deny-${direction}`;
  const taken = new Set(cluster.policies.map((object) => (object as { metadata?: { name?: string } }).metadata?.name));
  let unique = name;
  for (let n = 2; taken.has(unique); n++) unique = `${name}-${n}`;
  const rule = { [direction === "ingress" ? "from" : "to"]: [other], ports: [{ protocol, port }] };
  const add = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: unique, namespace: pod.namespace },
    spec: { podSelector: selectorOf(pod), policyTypes: [type], ...(open ? { [direction]: [rule] } : {}) },
  };
  const what = open ? "that allows it" : `that closes ${direction} except for what its rules will allow`;
  const wide =
    "matchLabels" in selectorOf(pod) ? "" : " (and every pod of the namespace, for it has no label of its own)";
  return { text: `add a NetworkPolicy in ${pod.namespace} for ${self}${wide} ${what}`, add };
}

function findPod(pods: readonly Pod[], end: string): Pod | undefined {
  const address = parseAddress(end);
  const text = address && formatAddress(address);
  return pods.find((pod) => podName(pod) === end || (text !== undefined && (pod.ips ?? []).includes(text)));
}

function peerOf(pod: Pod | undefined, end: string): object {
  if (!pod || pod.hostNetwork) {
    const [ip = end] = pod?.ips ?? [];
    return { ipBlock: { cidr: `${ip}/${ip.includes(":") ? 128 : 32}` } };
  }
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": pod.namespace } },
    podSelector: selectorOf(pod),
  };
}

/** Labels that change from one rollout, or one pod, to the next. */
const volatile =
  /^(?:pod-template-hash|controller-revision-hash|pod-template-generation|statefulset\.kubernetes\.io\/.*|apps\.kubernetes\.io\/pod-index|batch\.kubernetes\.io\/.*|topology\..*)$/;

function selectorOf({ labels = {} }: Pod): object {
  const lasting = Object.entries(labels).filter(([key]) => !volatile.test(key));
  return lasting.length === 0 ? {} : { matchLabels: Object.fromEntries(lasting) };
}

function apply({ cluster, options }: Evaluator, { add, remove }: Change): Evaluator {
  const policies = cluster.policies.map((object) => (remove ? without(object, remove) : object));
  const sources = options.sources ?? cluster.policies.map(() => null);
  return createEvaluator(
    { ...cluster, policies: add ? [...policies, add] : policies },
    { ...options, sources: add ? [...sources, null] : sources },
  );
}

/** The object with the rule at the path taken out. The section stays, so that what it closes stays closed. */
function without(object: unknown, { policy, path }: NonNullable<Change["remove"]>): unknown {
  const { kind = "NetworkPolicy", metadata } = object as {
    kind?: string;
    metadata?: { name?: string; namespace?: string };
  };
  const namespace = policy.namespace === null ? null : (metadata?.namespace ?? "default");
  if (kind !== policy.kind || metadata?.name !== policy.name || namespace !== policy.namespace) return object;
  const copy = structuredClone(object) as Record<string, unknown>;
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const last = Number(steps.pop());
  let at: unknown = copy;
  for (const step of steps) at = (at as Record<string, unknown>)[step];
  if (Array.isArray(at)) at.splice(last, 1);
  keepClosed(copy, kind, path);
  return copy;
}

/** Without its last rule a section would not close its direction any more, where only its rules say that it does. */
function keepClosed(copy: Record<string, unknown>, kind: string, path: string): void {
  const spec = copy["spec"] as Record<string, unknown> | undefined;
  const direction = path.includes("egress") ? "egress" : "ingress";
  if (!spec) return;
  if (kind === "NetworkPolicy" && spec["policyTypes"] === undefined && direction === "egress") {
    spec["policyTypes"] = ["Ingress", "Egress"];
  }
  if (kind.startsWith("Cilium")) {
    const posture = (spec["enableDefaultDeny"] ?? {}) as Record<string, unknown>;
    spec["enableDefaultDeny"] = { [direction]: true, ...posture };
  }
}
