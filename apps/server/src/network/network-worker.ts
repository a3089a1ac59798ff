/** A thread for what would hold up the server: policies over many pods and edges. */
import { parentPort } from "node:worker_threads";
import {
  confidence,
  judge,
  learn,
  policiesText,
  replay,
  writePolicies,
  type JudgedEdge,
  type Rule,
} from "@bulwark/learn";
import { errorText, networkEndKey, type ListedEnd } from "@bulwark/model";
import { createEvaluator, loadTexts, NetpolError, problemText, type Cluster, type Problem } from "@bulwark/netpol";
import type { End } from "@bulwark/flow";
import { stringify } from "yaml";
import { refKey, refOf, type PolicyObject } from "./policy-kinds.ts";
import type { NetworkAnswers, NetworkJob } from "./thread.ts";

/** Of what would be denied, what is listed. */
const mostDenials = 1000;

parentPort?.on("message", (job: NetworkJob) => {
  try {
    parentPort?.postMessage({ answer: answerOf(job) });
  } catch (error) {
    if (!(error instanceof NetpolError)) throw error;
    parentPort?.postMessage({ wrong: errorText(error), remedy: error.remedy ?? "" });
  }
});

function answerOf(asked: NetworkJob): NetworkAnswers[NetworkJob["kind"]] {
  switch (asked.kind) {
    case "learn":
      return learned(asked);
    case "replay":
      return replayed(asked);
    case "judge":
      return judged(asked.edges, asked.present);
    case "read":
      return readPolicies(asked.text);
    case "texts":
      return textsOf(asked.objects);
  }
}

function learned(asked: Extract<NetworkJob, { kind: "learn" }>): NetworkAnswers["learn"] {
  const { edges, namespaces, grain, pods, names, dns } = asked;
  const all = learn(edges, { grain, pods, names });
  const own = new Set(namespaces);
  const candidates = all.candidates.filter(({ subject }) => own.size === 0 || own.has(subject.namespace));
  return {
    text: policiesText(writePolicies(candidates, { dns })),
    candidates: candidates.map(({ subject, ingress, egress }) => ({
      ...{ namespace: subject.namespace, name: subject.name, selector: { ...subject.selector }, exact: subject.exact },
      rules: [...ingress.map((rule) => ruleOf("ingress", rule)), ...egress.map((rule) => ruleOf("egress", rule))],
    })),
    notes: all.notes.filter((note) => own.size === 0 || own.has(note.slice(0, note.indexOf("/")))),
    skipped: Object.fromEntries(all.skipped),
    edges: edges.length,
  };
}

function ruleOf(
  direction: "ingress" | "egress",
  { peer, ports, evidence }: Rule,
): NetworkAnswers["learn"]["candidates"][number]["rules"][number] {
  const { connections, hours, first, last } = evidence;
  const text =
    peer.kind === "group"
      ? `${peer.group.namespace}/${peer.group.name === peer.group.namespace ? "" : peer.group.name}`
      : peer.kind === "name"
        ? peer.name
        : peer.ip;
  return {
    ...{ direction, peer: text, ports: [...ports], confidence: confidence(evidence), connections, hours, first, last },
    ...{ processes: [...evidence.processes].sort(), names: [...evidence.names].sort() },
  };
}

function replayed(asked: Extract<NetworkJob, { kind: "replay" }>): NetworkAnswers["replay"] {
  const { edges, present, isKnown, text, remove, cluster } = asked;
  const changes =
    text.trim() === "" ? { cluster: { policies: [] as unknown[] }, problems: [] } : loadTexts([textOf(text)]);
  const added = changes.cluster.policies as PolicyObject[];
  const replaced = new Set([...added.map(refOf), ...remove].map(refKey));
  const kept = (present.policies as PolicyObject[]).filter((policy) => !replaced.has(refKey(refOf(policy))));
  const result = replay(edges, { ...present, policies: [...kept, ...added] }, { onProblem: "skip" });
  const listed = result.denied.slice(0, mostDenials);
  const before = isKnown
    ? judged(
        listed.map(({ edge }) => edge),
        present,
      )
    : [];
  const byWorkload = new Map<string, { key: string; edges: number; connections: number }>();
  for (const { edge, side } of result.denied) {
    const key = networkEndKey(plainEnd(side === "egress" ? edge.client : edge.server), "workload");
    const sum = byWorkload.get(key) ?? { key, edges: 0, connections: 0 };
    byWorkload.set(key, { key, edges: sum.edges + 1, connections: sum.connections + edge.connections });
  }
  return {
    ...{ edges: result.edges, connections: result.connections, attempts: result.attempts },
    denied: listed.map(({ edge, side, reason }, index) => ({
      ...{ client: listedEnd(edge.client, cluster), server: listedEnd(edge.server, cluster), side, reason },
      ...{ port: edge.port, protocol: edge.protocol, connections: edge.connections },
      ...{ first: edge.first, last: edge.last },
      deniedNow: isKnown ? before[index]?.allowed === false : null,
    })),
    ...{ deniedEdges: result.denied.length, deniedConnections: result.deniedConnections },
    byWorkload: [...byWorkload.values()].sort((a, b) => b.connections - a.connections || b.edges - a.edges),
    skipped: Object.fromEntries(result.skipped),
    problems: [...changes.problems, ...result.problems].flatMap(toProblem),
  };
}

function judged(edges: readonly JudgedEdge[], present: Cluster): NetworkAnswers["judge"] {
  const { verdicts } = judge(edges, present, { onProblem: "skip" });
  return verdicts.map((verdict) =>
    typeof verdict === "string" ? null : { allowed: verdict.allowed, reason: verdict.reason },
  );
}

function readPolicies(text: string): NetworkAnswers["read"] {
  const { cluster, problems, ignored } = loadTexts([textOf(text)]);
  const [other] = ignored.keys();
  if (other !== undefined) {
    throw new NetpolError("invalid", `there is a ${other} in it, which is no network policy`, {
      remedy: "leave it out",
    });
  }
  const found = createEvaluator({ namespaces: [], pods: [], policies: cluster.policies }, { onProblem: "skip" });
  return {
    objects: cluster.policies as PolicyObject[],
    problems: [...problems, ...found.problems].flatMap(toProblem),
  };
}

function textsOf(objects: readonly PolicyObject[]): NetworkAnswers["texts"] {
  return objects.map((object) => {
    const found = createEvaluator({ namespaces: [], pods: [], policies: [object] }, { onProblem: "skip" });
    return { text: stringify(object, { lineWidth: 0 }), problems: found.problems.map(problemText) };
  });
}

function textOf(text: string): { name: string; text: string } {
  return { name: "text", text };
}

/** That a cluster does not list a namespace is said elsewhere. */
function toProblem(problem: Problem): NetworkAnswers["read"]["problems"] {
  if (problem.object.startsWith("Namespace ")) return [];
  return [{ severity: problem.severity, policy: problem.object, text: problemText(problem) }];
}

function listedEnd(end: End, cluster: string): ListedEnd {
  const plain = plainEnd(end);
  return { ...plain, cluster, key: networkEndKey(plain, "pod") };
}

function plainEnd(end: End): Pick<ListedEnd, "workload" | "ip" | "name"> {
  const { workload, ip, name } = end;
  return { ip, name, workload: workload && { ...workload, labels: { ...workload.labels } } };
}
