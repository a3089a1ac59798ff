import type { Container, RuntimeKind } from "@bulwark/model";

/**
 * What makes two tellings one container. Ids that a runtime has made up (64 digits) are unique by themselves; one that a
 * person has chosen (`ctr run … web`, `runc run web`) is so only within a namespace of containerd, or for one root file
 * system.
 */
export function identityOf({ id, runtimeNamespace, rootfs }: Container): string {
  if (/^[0-9a-f]{64}$/.test(id)) return id;
  return runtimeNamespace === "" ? `${id} at ${rootfs ?? ""}` : `${id} in ${runtimeNamespace}`;
}

/**
 * Runtimes that may have ordered this container from the one that tells of it, and that know its image, its labels and its
 * pod. While one of them answers, the poorer telling is left out even before the richer one comes: a container would
 * otherwise begin as one of runc and become one of containerd.
 */
export function orderedBy({ runtime, runtimeNamespace, rootfs }: Container): RuntimeKind[] {
  if (runtimeNamespace === "moby")
    return ["docker", "containerd"].filter((kind): kind is RuntimeKind => kind !== runtime);
  if (runtime !== "runc" && runtime !== "crun") return [];
  if (runtimeNamespace !== "") return ["containerd"];
  return rootfs?.includes("/containers/storage/") === true ? ["podman", "cri-o"] : [];
}
