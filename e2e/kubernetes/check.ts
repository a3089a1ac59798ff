/** `bulwark check cluster` on a real cluster: what is as it should be and what is not, and what may not be read. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { BenchmarkReport } from "@bulwark/model";
import { bulwark } from "../product.ts";
import { createAccount } from "./accounts.ts";
import type { ApiServer } from "./audit-log.ts";
import { postures } from "./objects.ts";

export function checkTests(there: ApiServer): void {
  const check = (kubeconfig: string): BenchmarkReport => {
    const call = ["check", "cluster", "--kubeconfig", kubeconfig, "--format", "json"];
    // It leaves with another code than 0 where something fails or is not known.
    const { stdout, stderr } = spawnSync(bulwark, call, { encoding: "utf8", maxBuffer: 64 * 1024 ** 2 });
    assert.ok(stdout.startsWith("{"), stderr);
    return JSON.parse(stdout) as BenchmarkReport;
  };

  test("names what is not as it should be, by the object, and nothing that is", () => {
    there.cluster.apply(...postures());
    const { results } = check(there.cluster.kubeconfig);
    const told = (name: string, state: string): string[] =>
      results.filter((one) => one.check === name && one.state === state).map(({ reason }) => reason);
    const ofPods = [
      ...["tokens", "privileged", "host-pid", "host-ipc", "host-network", "escalation", "root", "net-raw"],
      ...["capabilities", "host-path", "host-ports", "secret-environment", "seccomp"],
    ];
    for (const name of ofPods) {
      const failed = told(`cluster-pods-${name}`, "fail");
      assert.equal(failed.filter((reason) => reason.includes("loose/bad")).length, 1, `${name}: ${failed.join()}`);
      assert.ok(!failed.some((reason) => reason.includes("safe/")), `${name}: ${failed.join()}`);
    }
    for (const name of ["cluster-default-accounts", "cluster-pod-security", "cluster-network-policies"]) {
      const failed = told(name, "fail").map((reason) => / (safe|loose)\b/.exec(reason)?.[1] ?? "");
      assert.deepEqual(failed.filter(Boolean), ["loose"], name);
    }
    const grants = ["cluster-grants-secrets", "cluster-admin-bindings"].flatMap((name) => told(name, "fail"));
    assert.ok(
      grants.some((reason) => /reads-secrets lets User eve/.test(reason)),
      grants.join(),
    );
    assert.ok(
      grants.some((reason) => /everything gives cluster-admin to User mallory/.test(reason)),
      grants.join(),
    );
    assert.ok(!results.some(({ state, reason }) => state === "fail" && /\b(?:dave|deploys)\b/.test(reason)));
    // By each kubelet's own word.
    assert.deepEqual(told("cluster-kubelet-anonymous", "pass"), ["holds of the one there"]);
    assert.equal(told("cluster-kubelet-iptables-chains", "fail").length, 1, "the kubelets of the tests make no chains");
    assert.equal(told("cluster-apiserver-rbac", "unknown").length, 1, "its API server is a process and no pod");
  });

  test("what an account may not read is unknown, and said to be, and neither good nor bad", async () => {
    const { results } = check(await createAccount(there.cluster, there.kube, "blind", { cluster: [], own: [] }));
    const judged = results.filter(({ state }) => state === "pass" || state === "fail");
    assert.deepEqual(judged, []);
    const reason = results.find((one) => one.check === "cluster-pods-privileged")?.reason ?? "";
    assert.match(reason, /cannot list resource "pods"/);
  });
}
