import { defineDetector } from "../detector.ts";

const files = /(?:^|\/)(?:docker|containerd|crio|cri-dockerd|dockershim|podman|buildkitd|kubelet)\.sock$/;
/** CVE-2020-15257: an abstract socket is in reach of whoever shares the network namespace. */
const shim = /^@\/containerd-shim\//;

/** A container connects to the socket of a container runtime, which gives it the host. */
export const runtimeSocket = defineDetector({
  id: "runtime-socket",
  title: "Container speaks to the container runtime",
  description:
    "A process in a container connected to the socket of Docker, containerd, CRI-O, Podman or the kubelet. Whoever may use it can start a privileged container on the host.",
  remedy:
    "Do not mount the socket into containers. If a tool needs it, give it a proxy that allows only what it uses, and make an exception for that workload.",
  severity: "high",
  techniques: ["T1611", "T1610"],
  needs: ["socket"],
  detect({ record, process }) {
    if (record.operation !== "connect") return undefined;
    const { path } = record;
    if (!files.test(path) && !shim.test(path)) return undefined;
    return { subject: process, key: path, evidence: [{ key: "socket", value: path }] };
  },
});
