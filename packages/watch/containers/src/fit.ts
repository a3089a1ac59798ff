import type { Container } from "@bulwark/model";

const labelLimit = 1000;
/** `PID_MAX_LIMIT`, include/linux/threads.h. */
const pidLimit = 4 * 1024 * 1024;

/**
 * The container within the limits of the model, so that one strange label does not make a whole report unacceptable.
 * Undefined when its id is none. What is too long is cut; a label whose name is too long is left out.
 */
export function fit(container: Container): Container | undefined {
  const { id, runtimeNamespace, name, image, labels, pod, pid, rootfs, mounts, capabilities } = container;
  if (id === "" || id.length > 256) return undefined;
  return {
    ...container,
    runtimeNamespace: runtimeNamespace.slice(0, 256),
    name: name.slice(0, 512),
    image: { name: image.name.slice(0, 1024), digest: image.digest === null ? null : image.digest.slice(0, 128) },
    labels: Object.fromEntries(
      Object.entries(labels)
        .filter(([key]) => key.length <= 512)
        .slice(0, labelLimit)
        .map(([key, value]) => [key, value.slice(0, 65_536)]),
    ),
    pod: pod && {
      name: pod.name.slice(0, 256),
      namespace: pod.namespace.slice(0, 256),
      uid: pod.uid.slice(0, 128),
      container: pod.container.slice(0, 256),
    },
    startedAt: whole(container.startedAt),
    finishedAt: whole(container.finishedAt),
    pid: pid !== null && Number.isInteger(pid) && pid > 0 && pid <= pidLimit ? pid : null,
    rootfs: rootfs === null || rootfs.length > 4096 ? null : rootfs,
    mounts: mounts.slice(0, 4096).map(({ source, target, type, readOnly }) => ({
      source: source.slice(0, 4096),
      target: target.slice(0, 4096),
      type: type.slice(0, 64),
      readOnly,
    })),
    capabilities: capabilities.slice(0, 64).map((capability) => capability.slice(0, 64)),
  };
}

function whole(time: number | null): number | null {
  return time !== null && Number.isSafeInteger(Math.trunc(time)) ? Math.trunc(time) : null;
}
