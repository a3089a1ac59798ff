/** Ways out and reverse shells once more in pods of a real Kubernetes: each alert names the pod, its workload and its labels. */
import assert from "node:assert/strict";
import { missing } from "@bulwark/testkit";
import { startCluster } from "../cluster/cluster.ts";
import { kinds } from "./kinds.ts";
import { perform } from "./perform.ts";
import { podSite } from "./pod-site.ts";

const skip = missing("cluster", "bpf", "clang", "python");
const { "ways out of a container": escapes = [], "reverse shells": reverseShells = [] } = kinds;

/** Nodes of this cluster have mounts of their own: the kernel starts programs of the machine, and finds none of a pod's. */
const ofPods = escapes.filter(({ outside }) => outside !== true);

perform("techniques in pods", ["leak", "user"], {
  skip,
  kinds: { "ways out of a container": ofPods, "reverse shells": reverseShells },
  async open() {
    const stack = new AsyncDisposableStack();
    const cluster = stack.use(await startCluster({ nodes: 1 }));
    const site = stack.use(await podSite(cluster));
    return { ...site, [Symbol.asyncDispose]: async () => stack.disposeAsync() };
  },
  complete({ node, container }) {
    const { name = "", namespace, metadata } = container?.pod ?? {};
    const [, place = ""] = /^(\w+-\d+)-/.exec(name) ?? [];
    assert.deepEqual([node, namespace], ["node-1", "shop"]);
    assert.deepEqual([metadata?.labels["app"], metadata?.labels["team"]], [place, "red"]);
    assert.deepEqual(
      metadata?.owners.map(({ kind }) => kind),
      ["ReplicaSet", "Deployment"],
    );
    assert.equal(metadata.owners[1]?.name, place);
  },
});
