/** The chart, without a cluster: what it refuses, and what it gives. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseConfig } from "@bulwark/config";
import { readTexts, type Manifest } from "@bulwark/manifests";
import { checkPod } from "@bulwark/podsecurity";
import { missing } from "@bulwark/testkit";
import { buildPrograms } from "../../e2e/cluster/programs.ts";
import { run } from "../images/run.ts";
import { chart, render, renderedFile, template } from "./render.ts";

const many = ["server.replicas=3", "database.url=postgres://db/bulwark", "nats.url=nats://nats:4222"];
/** A second cluster, whose agents and collector tell a server elsewhere. */
const joined = ["central.servers={https://bulwark.example:8444}", "central.joinTokenSecret=token", "cluster.name=east"];
/** Every branch of the templates is taken by one of these. */
const shapes: Record<string, string[]> = {
  "no value set": [],
  "many replicas": many,
  "all that is optional": [
    ...[...many, "serviceMonitor.enabled=true", "server.nodeSelector.disk=fast", "image.registry=registry.example"],
    ...["image.pullSecrets={one,two}", "server.url=https://bulwark.example", "server.trustProxy={10.0.0.0/8}"],
    ...["networkPolicy.consoleFrom[0].podSelector.matchLabels.app=proxy", "priorityClass.name=important"],
  ],
  "secrets of one's own": [
    ...["database.existingSecret=db", "nats.existingSecret=nats", "keys.existingSecret=keys", "agent.enabled=false"],
    ...["networkPolicy.enabled=false", "priorityClass.create=false", "server.persistence.storageClass=fast"],
  ],
};

describe("the chart", { skip: missing("go") }, () => {
  test("is passed by helm lint", async () => {
    const { helm } = await buildPrograms();
    assert.match(run(helm, ["lint", "--strict", chart]), /0 chart\(s\) failed/);
  });

  for (const [wrong, said] of Object.entries({
    "server.replica=2": /replica/,
    "server.replicas=0": /replicas.*minimum|minimum.*replicas|greater than or equal to 1/s,
    "server.replicas=2": /several replicas need one database/,
    "server.url=bulwark.example": /pattern/,
    "server.persistence.size=lots": /pattern/,
    "server.service.type=Magic": /ClusterIP/,
    "image.serverDigest=latest": /pattern/,
    "image.pullPolicy=Sometimes": /IfNotPresent/,
    "cluster.name=East Coast": /pattern/,
    "cluster.name=server": /cluster\.name|name/,
    "central.servers={http://bulwark.example:8444}": /pattern/,
    "central.servers=https://bulwark.example:8444": /array/,
    "central.servers={https://bulwark.example:8444/console}": /pattern/,
    "central.joinTokenSecret=My Token": /pattern/,
    "central.joinTokenSecret=token": /without central\.servers/,
    "collector.replicas=2": /replicas/,
    "agent.dataPath=relative": /pattern/,
    "agent.enabled=maybe": /boolean/,
    "networkPolicy.consoleFrom=all": /array/,
    "serviceMonitor.interval=often": /pattern/,
    "admission.enabled=maybe": /boolean/,
    "colour=blue": /colour/,
  })) {
    test(`refuses ${wrong}, and says what is wrong with it`, async () => {
      await assert.rejects(template(wrong), said);
    });
  }

  test("refuses replicas that cannot hear of each other, and two addresses of one database", async () => {
    await assert.rejects(template("server.replicas=2", "database.url=postgres://db/b"), /Set nats\.url/);
    await assert.rejects(template("database.url=postgres://db/b", "database.existingSecret=db"), /keep one/);
  });

  test("refuses a cluster that would join without a token, or without a name", async () => {
    await assert.rejects(template(...joined.filter((value) => !value.includes("Secret"))), /central\.joinTokenSecret/);
    await assert.rejects(template(...joined.filter((value) => !value.includes("name"))), /a name of its own/);
  });

  test("a second cluster gets agents and a collector of it, and nothing of a server", async () => {
    const found = await objects(...joined, "serviceMonitor.enabled=true");
    const kinds = found.map((object) => `${object.kind} ${(object.metadata as { name: string }).name}`);
    assert.ok(!kinds.some((kind) => /server|authority|keys|replicas|Service bulwark|Claim/.test(kind)), kinds.join());
    const pod = podOf(found, "Deployment");
    for (const version of ["v1.30", "v1.36"]) assert.deepEqual(checkPod("restricted", version, pod), []);
    const maps = found.filter(({ kind }) => kind === "ConfigMap") as unknown as { data: Record<string, string> }[];
    assert.equal(maps.length, 2);
    for (const { data } of maps) {
      const config = parseConfig(data["bulwark.yaml"] ?? "", "bulwark.yaml");
      assert.deepEqual(config.agent.servers, ["https://bulwark.example:8444"]);
      assert.equal(config.agent.kubernetes.cluster, "east");
      assert.equal(config.agent.joinTokenFile, "/var/run/secrets/bulwark/token");
      assert.equal(config.agent.serviceAccount, undefined, "its pods are nobody to a server elsewhere");
    }
  });

  for (const [shape, values] of Object.entries(shapes)) {
    test(`${shape}: the server runs under the restricted Pod Security Standard, in every version since 1.30`, async () => {
      const pod = podOf(await objects(...values), "StatefulSet");
      for (const version of ["v1.30", "v1.33", "v1.36", "latest"])
        assert.deepEqual(checkPod("restricted", version, pod), []);
    });
  }

  test("the agent asks for what its reasons name, and for nothing else", async () => {
    const pod = podOf(await objects(), "DaemonSet");
    const violations = checkPod("baseline", "v1.36", pod);
    assert.deepEqual(violations.map(({ check }) => check).toSorted(), [
      "appArmorProfile",
      "capabilities_baseline",
      "hostNamespaces",
      "hostPathVolumes",
      "seccompProfile_baseline",
    ]);
    const { spec } = pod as { spec: AgentSpec };
    const [container] = spec.containers;
    assert.ok(container);
    assert.deepEqual(container.securityContext.capabilities, {
      drop: ["ALL"],
      add: ["BPF", "PERFMON", "SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"],
    });
    assert.equal(container.securityContext["privileged"], undefined);
    assert.deepEqual(
      spec.volumes.flatMap(({ hostPath }) => (hostPath ? [hostPath.path] : [])),
      ["/var/lib/bulwark", "/run", "/sys/fs/cgroup"],
    );
    const text = readFileSync(`${chart}/templates/agent.yaml`, "utf8");
    for (const capability of container.securityContext.capabilities.add) {
      assert.match(text, new RegExp(`- ${capability} # \\S`), `${capability} has no reason`);
    }
  });

  test("the node's root is mounted where its owner wants benchmarks, to be read, and nothing else changes", async () => {
    const [plain, checked] = [await objects(), await objects("agent.benchmarks.enabled=true")];
    const specOf = (all: typeof plain): AgentSpec => (podOf(all, "DaemonSet") as { spec: AgentSpec }).spec;
    const [before, spec] = [specOf(plain), specOf(checked)];
    const root = spec.volumes.filter(({ hostPath }) => hostPath?.path === "/");
    assert.deepEqual(root, [{ name: "root", hostPath: { path: "/", type: "Directory" } }]);
    const mount = spec.containers[0]?.volumeMounts.find(({ name }) => name === "root");
    const shown = { name: "root", mountPath: "/host/root", readOnly: true, mountPropagation: "HostToContainer" };
    assert.deepEqual(mount, shown);
    assert.deepEqual(spec.containers[0]?.securityContext, before.containers[0]?.securityContext);
    const configOf = (all: typeof plain): string =>
      JSON.stringify(all.find(({ kind, metadata }) => kind === "ConfigMap" && nameOf(metadata) === "bulwark-agent"));
    assert.match(configOf(plain), /benchmarks:\\n\s+hours: 0/);
    assert.match(configOf(checked), /benchmarks:\\n\s+root: \/host\/root/);
  });

  test("the admission webhook comes with a Service, its own rights, and a configuration that names both", async () => {
    const found = await objects("admission.enabled=true");
    const map = found.find(({ kind, metadata }) => kind === "ConfigMap" && nameOf(metadata) === "bulwark-server");
    const { data } = map as unknown as { data: Record<string, string> };
    const { admission } = parseConfig(data["bulwark.yaml"] ?? "", "bulwark.yaml").server;
    const service = found.find(({ kind, metadata }) => kind === "Service" && nameOf(metadata) === "bulwark-admission");
    assert.ok(service);
    const { ports } = service["spec"] as { ports: { port: number; targetPort: string }[] };
    assert.match(admission?.service?.name ?? "", /\/bulwark-admission$/);
    assert.equal(admission?.service?.port, ports[0]?.port);
    const { spec } = podOf(found, "StatefulSet") as {
      spec: { containers: { env: object[]; ports: { name: string; containerPort: number }[] }[] };
    };
    const port = spec.containers[0]?.ports.find(({ name }) => name === ports[0]?.targetPort);
    assert.equal(port?.containerPort, admission?.port);
    // As `bench/webhook.ts` starts it.
    assert.deepEqual(spec.containers[0]?.env, [{ name: "NODE_OPTIONS", value: "--max-semi-space-size=32" }]);
    const role = found.find(({ kind, metadata }) => kind === "ClusterRole" && nameOf(metadata) === "bulwark-admission");
    const { rules } = role as unknown as { rules: Rule[] };
    const writing = rules.filter(({ verbs }) => verbs.includes("patch"));
    assert.deepEqual(
      writing.map(({ resourceNames }) => resourceNames),
      [[admission?.configuration]],
    );
    assert.ok(
      !(await objects()).some(({ metadata }) => /admission|glass/.test(nameOf(metadata))),
      "off, it leaves nothing",
    );
  });

  test("one server has no budget that would block a drain; several lose one at a time, and broken ones block nothing", async () => {
    const budgets = async (...values: string[]): Promise<object[]> =>
      (await objects(...values)).filter(({ kind }) => kind === "PodDisruptionBudget");
    assert.deepEqual(await budgets(), []);
    const [budget, ...more] = (await budgets(...many)) as { spec: Record<string, unknown> }[];
    assert.deepEqual(more, []);
    assert.equal(budget?.spec["maxUnavailable"], 1);
    assert.equal(budget.spec["unhealthyPodEvictionPolicy"], "AlwaysAllow");
  });

  test("another address of the database or of NATS reaches the servers with an upgrade", async () => {
    const annotations = async (...values: string[]): Promise<Record<string, string>> => {
      const pod = podOf(await objects(...values), "StatefulSet") as {
        metadata: { annotations: Record<string, string> };
      };
      return pod.metadata.annotations;
    };
    assert.equal((await annotations(...many))["bulwark/revision"], "1");
    assert.equal((await annotations())["bulwark/revision"], undefined);
  });

  test("no role reads secrets, writes what it does not own, or grants rights", async () => {
    const all = [...(await objects()), ...(await objects(...joined))];
    const roles = all.filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
    assert.equal(roles.length, 7);
    for (const { rules } of roles as unknown as { rules: Rule[] }[]) {
      for (const { apiGroups, resources, verbs, resourceNames } of rules) {
        assert.ok(![...apiGroups, ...resources, ...verbs].includes("*"), JSON.stringify(resources));
        // But for the collector, its own key and certificate.
        if (resources.includes("secrets")) assert.deepEqual(resourceNames, ["bulwark-collector"]);
        const writes = verbs.filter((verb) => !["get", "list", "watch"].includes(verb));
        if (writes.length > 0 && !resources.includes("tokenreviews")) assert.equal(resourceNames?.length, 1);
      }
    }
  });

  test("the agent may delete pods and cordon its node where its owner wants that, and nothing else changes", async () => {
    const rulesOf = async (...values: string[]): Promise<Rule[]> => {
      const roles = (await objects(...values)).filter(({ kind }) => kind === "ClusterRole");
      return (roles.find(({ metadata }) => nameOf(metadata) === "bulwark-agent") as unknown as { rules: Rule[] }).rules;
    };
    const [usual, acting] = [await rulesOf(), await rulesOf("agent.config.agent.response.kubernetes=true")];
    assert.deepEqual(acting.slice(0, usual.length), usual);
    assert.deepEqual(
      acting.slice(usual.length).map(({ resources, verbs }) => [resources, verbs]),
      [
        [["pods"], ["delete"]],
        [["nodes"], ["get", "patch"]],
      ],
    );
  });

  test("deploy/bulwark.yaml is what the chart gives", async () => {
    assert.equal(readFileSync(renderedFile, "utf8"), await render(), "run npm run chart");
  });
});

interface AgentSpec {
  containers: {
    securityContext: { capabilities: { add: string[]; drop: string[] }; [field: string]: unknown };
    volumeMounts: { name: string }[];
  }[];
  volumes: { name: string; hostPath?: { path: string } }[];
}
interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

function nameOf(metadata: unknown): string {
  return (metadata as { name: string }).name;
}

async function objects(...values: string[]): Promise<Manifest["object"][]> {
  const { objects: found, problems } = readTexts([{ name: "chart", text: await template(...values) }]);
  assert.deepEqual(problems, []);
  return found.map(({ object }) => object);
}

/** The pod of the one workload of a kind. */
function podOf(found: Manifest["object"][], kind: string): object {
  const [workload, ...more] = found.filter((object) => object.kind === kind) as unknown as {
    spec: { template: object };
  }[];
  assert.ok(workload);
  assert.deepEqual(more, []);
  return workload.spec.template;
}
