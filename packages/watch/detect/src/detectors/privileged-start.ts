import { posix } from "node:path";
import type { Container } from "@bulwark/model";
import { defineDetector, type Detection } from "../detector.ts";

/** Folders and sockets of the host through which it is taken over, and those that only tell too much. */
const fatal =
  /^\/(?:$|etc$|etc\/(?:cron|kubernetes)|root$|proc$|sys$|dev$|boot$|usr$|lib$|var\/lib\/(?:kubelet|docker|containerd|etcd))|\.sock$/;
const usual =
  /^\/(?:dev\/(?:shm|mqueue|null|termination-log)|etc\/(?:hosts|hostname|resolv\.conf|localtime)|sys\/fs\/cgroup)/;

/** A container starts with what makes an escape a matter of one command. */
export const privilegedStart = defineDetector({
  id: "privileged-start",
  title: "Container starts with power over the host",
  description:
    "A container was started in privileged mode, with the host's namespaces, or with a folder or socket of the host through which the host can be changed.",
  remedy:
    "Give it the single capability or device that it needs instead. If it has to be so (node agents, storage and network plugins), make an exception for this workload.",
  severity: "medium",
  techniques: ["T1610", "T1611"],
  needs: ["exec"],
  detect({ process, container }): Detection | undefined {
    if (container === undefined || process.pid !== container.pid) return undefined;
    const reasons = reasonsOf(container);
    if (reasons.length === 0) return undefined;
    return {
      subject: process,
      key: reasons.join("\u0000"),
      evidence: reasons.slice(0, 32).map((value) => ({ key: "power", value })),
    };
  },
});

function reasonsOf({ privileged, hostNamespaces, mounts, pod }: Container): string[] {
  // What the kubelet made for this pod and no other: its volumes, its token.
  const own = pod === null || pod.uid === "" ? undefined : `/var/lib/kubelet/pods/${pod.uid}/`;
  const dangerous = mounts.filter(
    ({ source, target, type }) =>
      source.startsWith("/") &&
      (own === undefined || !posix.normalize(source).startsWith(own)) &&
      (type === "bind" || type === "") &&
      fatal.test(source) &&
      !usual.test(source) &&
      !usual.test(target),
  );
  return [
    ...(privileged ? ["privileged"] : []),
    ...hostNamespaces.filter((name) => name === "pid" || name === "mnt").map((name) => `host ${name} namespace`),
    ...dangerous.map(({ source, target, readOnly }) => `${source} at ${target}${readOnly ? " (read-only)" : ""}`),
  ];
}
