import { randomUUID } from "node:crypto";
import type { AdmissionDecision } from "@bulwark/model";
import type { PolicyResult } from "@bulwark/store";
import type { World } from "./world.ts";

const minute = 60_000;

const images = `
apiVersion: bulwark.dev/v1
kind: ImagePolicy
metadata:
  name: looked-into
  annotations: { bulwark.dev/title: Nothing <b>exploited</b>, bulwark.dev/mode: enforce }
spec:
  validations: [{ expression: image.report.secrets != null, message: has not been looked into for secrets }]
`;

/** Policies in force, what they say of a cluster's workloads, and what they decided: as a server with a webhook has it. */
export async function fillPolicies({ server: { store } }: World): Promise<void> {
  const off = { from: null, failurePolicy: "Ignore", excludedNamespaces: [] as string[], fix: false };
  const setting = (policy: string, mode: string, more = {}) => [policy, { ...off, policy, mode, ...more }] as const;
  const settings = Object.fromEntries([
    setting("no-host-network", "observe"),
    setting("no-privileged-containers", "enforce", { failurePolicy: "Fail" }),
    setting("run-as-non-root", "enforce", { from: Date.now() + 9 * 24 * 60 * minute }),
    setting("no-latest-tag", "warn"),
    setting("memory-limits", "observe", { excludedNamespaces: ["platform"] }),
  ]);
  await store.settings.set("admission.policies", JSON.stringify({ settings, documents: { images } }));

  const workload = (
    place: string,
    verdict: PolicyResult["violations"][number]["verdict"],
    message: string,
    kind = "Deployment",
  ): PolicyResult["violations"][number] => {
    const [namespace = "", name = ""] = place.split("/");
    return { kind, namespace, name, verdict, message, objects: 4 };
  };
  const result = (policy: string, violations: PolicyResult["violations"]): PolicyResult => {
    const count = (wanted: string): number => violations.filter(({ verdict }) => verdict === wanted).length;
    const counts = { denied: count("denied"), noted: count("noted"), unknown: count("unknown") };
    return { policy, judged: 214, ...counts, dropped: 0, violations };
  };
  const root = "containers must not run as root: set runAsNonRoot";
  const limit = "every container must have a memory limit";
  const results = [
    result("no-host-network", [
      workload("shop/web", "denied", "the host's <b>network</b> is not yours"),
      workload("lab/probe", "denied", "the host's <b>network</b> is not yours", "DaemonSet"),
      workload("lab/old", "unknown", "it depends on what the one who makes the object may do"),
    ]),
    result(
      "run-as-non-root",
      ["shop/web", "shop/checkout", "shop/catalogue", "platform/cache-warmer", "lab/probe"].map((place) =>
        workload(place, "denied", root),
      ),
    ),
    result(
      "memory-limits",
      ["shop/checkout", "lab/probe"].map((place) => workload(place, "denied", limit)),
    ),
    result("no-latest-tag", [workload("lab/probe", "denied", "worker:latest: name a version", "DaemonSet")]),
    result("no-privileged-containers", []),
  ];
  const run = { cluster: "east", judgedAt: Date.now() - 3 * minute, durationMs: 2140, objects: 214, hash: "sample" };
  await store.runningPolicies.put({ ...run, problems: ["secrets are not read, and not judged"] }, results);

  const decision = (
    n: number,
    change: Pick<AdmissionDecision, "policy" | "outcome" | "reason" | "name"> & Partial<AdmissionDecision>,
  ): AdmissionDecision => ({
    ...{ id: randomUUID(), time: Date.now() - n * 7 * minute, cluster: "east", mode: "enforce", rule: 0 },
    ...{ operation: "CREATE", kind: "Pod", namespace: "shop", user: "ann@example.org", duration: 1.2 },
    ...change,
  });
  await store.admission.append([
    decision(1, {
      ...{ policy: "no-privileged-containers", outcome: "denied", name: "debug" },
      reason: "container shell is privileged",
    }),
    decision(2, {
      ...{ policy: "no-latest-tag", outcome: "warned", mode: "warn" },
      name: "worker",
      reason: "worker:latest: name a version",
    }),
    decision(3, {
      ...{ policy: "no-host-network", outcome: "bypassed", name: "trace" },
      reason: "the host's network is not yours (bypassed by ann@example.org until 18:00: hotfix for <i>INC-7</i>)",
    }),
    decision(4, {
      ...{ policy: "run-as-non-root", outcome: "observed", mode: "observe", name: "checkout", kind: "Deployment" },
      ...{ reason: root, user: "system:serviceaccount:ci:deployer" },
    }),
    decision(5, { policy: "", outcome: "allowed", name: "catalogue", reason: "4 policies: no-host-network, …" }),
  ]);
}
