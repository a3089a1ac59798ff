import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@bulwark/kube";
import { makeImage } from "@bulwark/testkit";
import type { Cluster } from "../cluster/cluster.ts";
import { runIn } from "./entrance.ts";
import type { Site } from "./site.ts";
import type { Place } from "./technique.ts";
import { clusterMounts, hostMounts, makeVictim, toolMounts, type Mount } from "./victim.ts";
import { startWatch } from "./watch.ts";

const image = "registry.test/victim:1";
const namespace = "shop";
const securityContext = { privileged: true };

/** Pods of deployments on a cluster's first node. Commands come in by `kubectl exec`. */
export async function podSite(cluster: Cluster): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runtime-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [node] = cluster.nodes;
  if (!node) throw new Error("the cluster has no node");
  const made = mkdtempSync(join(folder, "image-"));
  cluster.load(makeImage(image, makeVictim(join(folder, "victim")), made, ["sleep", "36000"]).archive);
  const { kubeconfig, programs } = cluster;
  cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const watch = stack.use(
    await startWatch({
      node: node.name,
      paths: { containerd: [node.containerd] },
      connect: () => connect({ kubeconfig }),
    }),
  );
  const [, store] = clusterMounts(folder);
  const spec: Record<Place, { mounts?: Mount[]; pod?: object; container?: object }> = {
    plain: {},
    privileged: { mounts: hostMounts, container: { securityContext } },
    // The token is put by the kubelet.
    host: { mounts: store ? [store] : [], pod: { hostPID: true } },
    node: { pod: { hostPID: true }, container: { securityContext } },
    tools: { mounts: toolMounts() },
  };
  let count = 0;
  const open = stack.move();
  return {
    ...watch,
    async start(place) {
      const name = `${place}-${++count}`;
      const { mounts = [], pod = {}, container = {} } = spec[place];
      const volumes = mounts.map(({ source }, index) => ({ name: `volume-${index}`, hostPath: { path: source } }));
      const volumeMounts = mounts.map(({ target, readOnly = false }, index) => ({
        ...{ name: `volume-${index}`, mountPath: target, readOnly },
      }));
      const main = { name: "main", image, volumeMounts, ...container };
      cluster.apply({
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } },
        spec: {
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name, team: "red" } },
            spec: {
              ...{ nodeName: node.name, terminationGracePeriodSeconds: 0, volumes, containers: [main], ...pod },
            },
          },
        },
      });
      cluster.kubectl("rollout", "status", "-n", namespace, `deployment/${name}`, "--timeout=60s");
      const { items } = JSON.parse(
        cluster.kubectl("get", "pods", "-n", namespace, "-l", `app=${name}`, "-o", "json"),
      ) as {
        items: { metadata: { name: string }; status: { containerStatuses: { containerID: string }[] } }[];
      };
      const [found] = items;
      const id = found?.status.containerStatuses[0]?.containerID.replace("containerd://", "");
      if (!found || id === undefined) throw new Error(`${name} has no pod`);
      await watch.known(id);
      const exec = [programs.kubernetes, "kubectl", "--kubeconfig", kubeconfig, "exec", "-n", namespace];
      return {
        id,
        pid: cluster.pidOf(namespace, found.metadata.name),
        doIn: async (script, by = {}) =>
          runIn([...exec, ...(by.terminal === true ? ["-it"] : []), found.metadata.name, "--", "sh", "-c", script], by),
      };
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}
