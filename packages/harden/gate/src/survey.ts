import { requestFor, type AdmissionRequest, type Json } from "@bulwark/admission";
import { fieldOf, recordOf, stringOf } from "@bulwark/manifests";
import { errorText, type RunningTally, type RunningVerdict } from "@bulwark/model";
import type { Answer, Guard, Surroundings } from "./guard.ts";

/** What a violation is shown under: what controls the object in the end, or the object itself. */
export interface Workload {
  readonly kind: string;
  /** Empty for what is in none. */
  readonly namespace: string;
  readonly name: string;
}

interface Violation extends Workload {
  verdict: RunningVerdict;
  message: string;
  /** At how many objects of the workload it was found. */
  objects: number;
}

export interface SurveyResult extends RunningTally {
  readonly policy: string;
  readonly violations: readonly Violation[];
}

export interface SurveyOptions {
  readonly guards: readonly Guard[];
  namespaceOf(name: string): Json | null;
  paramsOf(kind: { apiVersion: string; kind: string }): readonly Json[];
  /** Workloads that are listed for a policy; what is beyond is counted. */
  readonly most: number;
}

/** Asks policies about objects that are there already, as if each were made anew. */
export interface Survey {
  judge(object: Json, resource: { plural: string; namespaced: boolean }, workload: Workload): void;
  /** Resolves when policies that had to ask others have answered all but a few of the objects so far. */
  keepUp(): Promise<void>;
  /** One for each policy that was there to be asked, by name. */
  results(): Promise<SurveyResult[]>;
}

interface Tally {
  judged: number;
  dropped: number;
  readonly found: Map<string, Violation>;
}

/** Answers that are waited for at once. */
const mostWaiting = 64;
const rank: Record<RunningVerdict, number> = { denied: 0, unknown: 1, noted: 2 };

/**
 * The guards are those of the webhook, so that the verdict is the webhook's. Two things are not known here, and make a
 * verdict `unknown`: what the one who made the object may do, and what could not be looked at.
 */
export function createSurvey({ guards, namespaceOf, paramsOf, most }: SurveyOptions): Survey {
  const judging = guards.filter(({ side }) => side === "validate");
  const tallies = new Map(
    judging.map(({ name }): [string, Tally] => [name, { judged: 0, dropped: 0, found: new Map() }]),
  );
  const waiting = new Set<Promise<void>>();

  function note(guard: Guard, workload: Workload, verdict: RunningVerdict, message: string): void {
    const tally = tallies.get(guard.name);
    if (!tally) return;
    const key = `${workload.kind}/${workload.namespace}/${workload.name}`;
    const known = tally.found.get(key);
    if (known) {
      known.objects++;
      if (rank[verdict] < rank[known.verdict]) Object.assign(known, { verdict, message: message.slice(0, 2048) });
    } else if (tally.found.size < most) {
      const { kind, namespace, name } = workload;
      tally.found.set(key, { kind, namespace, name, verdict, message: message.slice(0, 2048), objects: 1 });
    } else tally.dropped++;
  }

  function take(guard: Guard, workload: Workload, answer: Answer, asked: boolean): void {
    if (!answer.applies) return;
    const tally = tallies.get(guard.name);
    if (tally) tally.judged++;
    if (asked) return note(guard, workload, "unknown", "it depends on what the one who makes the object may do");
    const [worst] = answer.findings.toSorted((a, b) => Number(b.severity === "deny") - Number(a.severity === "deny"));
    if (worst) note(guard, workload, worst.severity === "deny" ? "denied" : "noted", worst.message);
  }

  function ask(guard: Guard, request: AdmissionRequest, namespace: Json | null, workload: Workload): void {
    let asked = false;
    const surroundings: Surroundings = {
      ...{ namespace, paramsOf },
      async ask() {
        asked = true;
        return { allowed: false, reason: "", error: "nobody asks" };
      },
    };
    try {
      const answer = guard.ask(request, surroundings);
      if (!(answer instanceof Promise)) return take(guard, workload, answer, asked);
      const done = answer
        .then((late) => take(guard, workload, late, asked))
        .catch((error: unknown) => note(guard, workload, "unknown", errorText(error)))
        .finally(() => waiting.delete(done));
      waiting.add(done);
    } catch (error) {
      note(guard, workload, "unknown", errorText(error));
    }
  }

  return {
    judge(object, resource, workload) {
      const request = newly(object, resource);
      const namespace = request.namespace === "" ? null : namespaceOf(request.namespace);
      for (const guard of judging) {
        if (!guard.setting.excludedNamespaces.includes(request.namespace)) ask(guard, request, namespace, workload);
      }
    },
    async keepUp() {
      while (waiting.size > mostWaiting) await Promise.race(waiting);
    },
    async results() {
      while (waiting.size > 0) await Promise.all(waiting);
      return [...tallies].map(([policy, { judged, dropped, found }]) => {
        const violations = [...found.values()];
        const count = (wanted: RunningVerdict): number => violations.filter(({ verdict }) => verdict === wanted).length;
        return {
          ...{ policy, judged, denied: count("denied"), noted: count("noted"), unknown: count("unknown"), dropped },
          violations,
        };
      });
    },
  };
}

/** What the cluster has made of the object since: whoever makes it anew does not give that. */
const madeByCluster = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "managedFields",
  "generation",
  "selfLink",
]);

function newly(object: Json, { plural, namespaced }: { plural: string; namespaced: boolean }): AdmissionRequest {
  const { status: _, ...rest } = object;
  const metadata = Object.fromEntries(
    Object.entries(recordOf(object["metadata"])).filter(([field]) => !madeByCluster.has(field)),
  );
  const bare = { ...rest, metadata, ...(object["kind"] === "Pod" && { spec: withoutNode(object["spec"]) }) };
  const request = requestFor(bare);
  return {
    ...request,
    resource: { ...request.resource, resource: plural },
    // A Namespace is asked about as in itself.
    ...(!namespaced && object["kind"] !== "Namespace" && { namespace: "", object: bare }),
  };
}

function withoutNode(spec: unknown): Json {
  const { nodeName: _, ...rest } = recordOf(spec);
  return rest;
}

/** False for what is only kept as a record: ended pods and jobs, replica sets of earlier versions, what is being deleted. */
export function isRunning(object: Json): boolean {
  if (fieldOf(object, "metadata", "deletionTimestamp") !== undefined) return false;
  switch (object["kind"]) {
    case "Pod":
      return !["Succeeded", "Failed"].includes(stringOf(fieldOf(object, "status", "phase")));
    case "Job":
      return fieldOf(object, "status", "completionTime") === undefined && !hasFailed(object);
    case "ReplicaSet":
      return fieldOf(object, "metadata", "ownerReferences") === undefined || fieldOf(object, "spec", "replicas") !== 0;
    default:
      return true;
  }
}

function hasFailed(job: Json): boolean {
  const conditions = fieldOf(job, "status", "conditions");
  return Array.isArray(conditions) && conditions.some((one) => recordOf(one)["type"] === "Failed");
}

/** Resources whose making a policy wants to be asked about, with their versions; a star where it says one. */
export function resourcesOf({ constraints }: Pick<Guard, "constraints">): WantedResource[] {
  return (constraints.resourceRules ?? [])
    .filter(({ operations }) => operations.includes("CREATE") || operations.includes("*"))
    .flatMap(({ apiGroups, apiVersions: versions, resources }) =>
      apiGroups.flatMap((group) =>
        resources.filter(isWhole).map((name) => ({ group, versions, plural: starred(name) })),
      ),
    );
}

interface WantedResource {
  readonly group: string;
  readonly versions: readonly string[];
  readonly plural: string;
}

/** A subresource is an act, and nothing that is there. */
function isWhole(name: string): boolean {
  return !name.includes("/") || name.startsWith("*/*");
}

function starred(name: string): string {
  return name === "*/*" ? "*" : name;
}
