import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, missing, run } from "@bulwark/testkit";
import { busyboxImage, startCluster, type Cluster } from "./cluster.ts";
import { podProcesses, processesOf } from "./node.ts";

describe("a real Kubernetes of the tests", { skip: missing("cluster") }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster?.delete());

  test("pods run on both nodes, are reached by a service and its name, and take commands", async () => {
    cluster.apply(
      pod("client"),
      ...[1, 2].map((node) => ({
        ...pod(
          `web-${node}`,
          ["sh", "-c", "mkdir /w; hostname >/w/index.html; httpd -f -p 8080 -h /w"],
          `node-${node}`,
        ),
      })),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web", namespace: "default" },
        spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
      },
    );
    cluster.ready(["--all"]);
    const nodes = JSON.parse(cluster.kubectl("get", "pods", "-o", "json")) as {
      items: { spec: { nodeName: string } }[];
    };
    assert.deepEqual([...new Set(nodes.items.map(({ spec }) => spec.nodeName))].sort(), ["node-1", "node-2"]);
    const answers = new Set<string>();
    await eventually("both pods have answered", () => {
      answers.add(
        cluster.kubectl("exec", "client", "--", "wget", "-qO-", "http://web.default.svc.cluster.local").trim(),
      );
      return answers.size === 2 || undefined;
    });
    assert.deepEqual([...answers].sort(), ["web-1", "web-2"]);
    const { clusterIP } = (cluster.get("service", "web") as { spec: { clusterIP: string } }).spec;
    const answer = await fetch(`http://${clusterIP}/`, { signal: AbortSignal.timeout(5000) });
    assert.match(await answer.text(), /^web-\d/, "the service is reached from the machine of the test");
  });

  test("an image that was pushed to its registry is pulled", () => {
    const { address, name } = cluster.registry;
    const archive = join(cluster.folder, "images/busybox-image/image.tar");
    const target = `docker://${address}/shop/tool:2`;
    run("skopeo", ["copy", "--quiet", "--dest-tls-verify=false", `oci-archive:${archive}`, target]);
    const pulled = pod("pulled");
    cluster.apply({
      ...pulled,
      spec: { ...pulled.spec, containers: [{ name: "main", image: `${name}/shop/tool:2`, imagePullPolicy: "Always" }] },
    });
    cluster.ready(["pod/pulled"]);
  });

  test("a policy of the API server denies, a limit of memory holds, and both are in the audit log", async () => {
    cluster.apply(
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: { name: "no-host-network" },
        spec: {
          matchConstraints: {
            resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
          },
          validations: [{ expression: "!object.spec.?hostNetwork.orValue(false)", message: "no host network here" }],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: { name: "no-host-network" },
        spec: { policyName: "no-host-network", validationActions: ["Deny"] },
      },
    );
    const refused = pod("refused");
    await eventually("the policy is in force", () => {
      try {
        cluster.apply({ ...refused, spec: { ...refused.spec, hostNetwork: true } });
        cluster.kubectl("delete", "pod", "refused", "--force", "--grace-period=0");
        return undefined;
      } catch (error) {
        return /no host network here/.test(String(error)) || undefined;
      }
    });
    // The limit leaves room for runc, which starts the container inside it.
    const greedy = pod("greedy", ["dd", "if=/dev/zero", "of=/dev/null", "bs=256M"]);
    const container = { ...greedy.spec.containers[0], resources: { limits: { memory: "64Mi" } } };
    cluster.apply({ ...greedy, spec: { ...greedy.spec, restartPolicy: "Never", containers: [container] } });
    await eventually(
      "the pod is ended for its memory",
      () => {
        const { status } = cluster.get("pod", "greedy") as { status: object };
        // Killed at the limit of the pod, of which containerd may not be told: a status of 137 and not `OOMKilled`.
        if (JSON.stringify(status).includes('"exitCode":137')) return true;
        throw new Error(JSON.stringify(status));
      },
      60_000,
    );
    const audit = readFileSync(cluster.auditLog, "utf8");
    assert.match(audit, /"name":"refused"/);
    assert.match(audit, /"name":"greedy"/);
  });

  test("a claim gets a volume", () => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data", namespace: "default" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const writer = pod("writer", ["sh", "-c", "echo kept >/data/file && sleep 3600"]);
    const container = { ...writer.spec.containers[0], volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    cluster.apply(claim, { ...writer, spec: { ...writer.spec, containers: [container], volumes } });
    cluster.ready(["pod/writer"]);
    assert.equal(cluster.kubectl("exec", "writer", "--", "cat", "/data/file"), "kept\n");
  });

  test("a program of it can be stopped and started again", async () => {
    await cluster.stop("kube-apiserver");
    assert.throws(() => cluster.kubectl("get", "nodes"));
    cluster.start("kube-apiserver");
    await eventually("the API server is back", () => cluster.kubectl("get", "nodes"), 60_000);
  });

  test("a second cluster beside it disturbs nothing and leaves no trace", async () => {
    const other = await startCluster({ nodes: 1 });
    try {
      other.apply(pod("alone"));
      other.ready(["pod/alone"]);
      assert.ok(other.pidOf("default", "alone") > 0);
      assert.throws(() => cluster.get("pod", "alone"));
      for (const [what, found] of Object.entries(traces(other))) assert.notDeepEqual(found, [], what);
    } finally {
      await other.delete();
    }
    for (const [what, found] of Object.entries(traces(other))) assert.deepEqual(found, [], what);
    assert.match(cluster.kubectl("get", "pod", "client"), /Running/);
  });
});

function pod(name: string, command = ["sleep", "3600"], node?: string) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name.replace(/-\d$/, "") } },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image: busyboxImage, command }],
    },
  };
}

/** What a cluster has on the machine, and could leave behind. */
function traces({ network: { id, block }, folder, nodes }: Cluster): Record<string, string[]> {
  const list = (place: string): string[] =>
    existsSync(place) ? readdirSync(place).filter((name) => name.includes(id)) : [];
  const lines = (text: string, word: string): string[] => text.split("\n").filter((line) => line.includes(word));
  return {
    namespaces: list("/var/run/netns"),
    cgroups: list("/sys/fs/cgroup/memory").concat(list("/sys/fs/cgroup")),
    folders: existsSync(folder) ? [folder] : [],
    links: lines(run("ip", ["-o", "link"]), `bw${id}`),
    routes: lines(run("ip", ["route"]), `10.${block}.`),
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8"), folder),
    processes: nodes.flatMap((node) => [...processesOf(node), ...podProcesses(node)]).map(String),
  };
}
