import { stateless, type Detector } from "../detector.ts";

/** kubernetes.io, "Ports and Protocols". */
const ports = new Map([
  [10250, "the kubelet"],
  [10255, "the kubelet's open port"],
  [10257, "the controller manager"],
  [10259, "the scheduler"],
  [2379, "etcd"],
  [2380, "etcd"],
]);
const names = /^kubernetes(\.default(\.svc(\.cluster\.local)?)?)?$/;

/** Parts of the control plane from a pod that has no reason to. The API server only against what was learned. */
export const controlPlane: Detector = {
  id: "control-plane",
  title: "A part of the control plane is called by an unexpected pod",
  severity: "high",
  techniques: ["T1613", "T1609"],
  needs: ["addresses"],
  start: ({ profile }) =>
    stateless((flow) => {
      const { client, server, port } = flow;
      if (!client.workload || client.workload.namespace === "kube-system" || profile?.knows(flow)) return undefined;
      const api = (port === 6443 && !server.workload) || names.test(server.name ?? "");
      // A pod may listen on any port; parts of the control plane are on nodes.
      const part = server.workload ? undefined : ports.get(port);
      if (part === undefined && !(api && profile)) return undefined;
      const what = part ?? "the API server";
      return {
        score: part === undefined ? 0.6 : flow.result === "established" ? 0.9 : 0.7,
        explanation: `${what} was called at port ${port}${profile ? ", which this workload did not before" : " from outside of kube-system"}`,
        evidence: [{ key: "result", value: flow.result }],
      };
    }),
};
