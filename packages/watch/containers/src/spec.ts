import type { Container, Mount } from "@bulwark/model";
import { anything, boolean, dictionary, list, maybe, number, object, text, type Of } from "./shape.ts";

/** The part of the OCI runtime specification that tells how much a container may. https://github.com/opencontainers/runtime-spec */
const specification = object({
  root: maybe(object({ path: text })),
  annotations: maybe(dictionary(text)),
  mounts: maybe(
    list(object({ destination: text, source: maybe(text), type: maybe(text), options: maybe(list(text)) })),
  ),
  process: maybe(object({ capabilities: maybe(object({ effective: maybe(list(text)) })) })),
  linux: maybe(
    object({
      cgroupsPath: maybe(text),
      namespaces: maybe(list(object({ type: text, path: maybe(text) }))),
      maskedPaths: maybe(list(text)),
      resources: maybe(
        object({
          devices: maybe(
            list(object({ allow: maybe(boolean), type: maybe(text), major: maybe(number), minor: maybe(number) })),
          ),
        }),
      ),
      seccomp: anything,
    }),
  ),
});
type Specification = Of<typeof specification>;

export type SpecFacts = Pick<Container, "mounts" | "capabilities" | "privileged" | "hostNamespaces"> & {
  /** As it is written: may be relative to the bundle. */
  rootfs: string | null;
  annotations: Record<string, string>;
  /** Its path in every hierarchy. Null where it is relative to another one, or named as systemd does (`slice:prefix:name`). */
  cgroup: string | null;
};

/** Facts from the JSON of an OCI runtime specification; undefined when it is none. */
export function specFacts(spec: unknown): SpecFacts | undefined {
  if (!specification(spec)) return undefined;
  const cgroup = spec.linux?.cgroupsPath ?? "";
  return {
    rootfs: spec.root?.path ?? null,
    annotations: spec.annotations ?? {},
    cgroup: cgroup.startsWith("/") ? cgroup : null,
    mounts: (spec.mounts ?? []).slice(0, 4096).map(toMount),
    capabilities: (spec.process?.capabilities?.effective ?? []).slice(0, 64),
    privileged: isPrivileged(spec),
    hostNamespaces: hostNamespaces(spec),
  };
}

function toMount({ destination, source, type, options }: NonNullable<Specification["mounts"]>[number]): Mount {
  return {
    source: source ?? "",
    target: destination,
    type: type ?? (options?.some((option) => option === "bind" || option === "rbind") ? "bind" : ""),
    readOnly: options?.includes("ro") ?? false,
  };
}

/**
 * No runtime writes the word into the specification. What `--privileged` does, in all of them: the capabilities that
 * administer the machine (not each one: a machine may itself lack some), no seccomp filter, and either a device rule that
 * allows everything or, with containerd's `privileged_without_host_devices`, nothing of `/proc` masked. A container that
 * was given all of this one by one is as strong, and is called the same.
 */
function isPrivileged({ process, linux }: Specification): boolean {
  const effective = process?.capabilities?.effective ?? [];
  const administers = effective.includes("CAP_SYS_ADMIN") && effective.includes("CAP_SYS_MODULE");
  const unfiltered = linux?.seccomp === undefined || linux.seccomp === null;
  const rules = linux?.resources?.devices ?? [];
  const allDevices = rules.some(
    ({ allow, type, major, minor }) => allow === true && (type ?? "a") === "a" && anyNumber(major) && anyNumber(minor),
  );
  const unmasked = (linux?.maskedPaths ?? []).length === 0;
  return administers && unfiltered && (allDevices || unmasked);
}

/** Absent or -1 stands for all of them. 0 is what some runtimes write for absent. */
function anyNumber(value: number | null | undefined): boolean {
  return value === undefined || value === null || value <= 0;
}

const kinds = { pid: "pid", network: "net", ipc: "ipc", uts: "uts", mount: "mnt" } as const;

/**
 * A namespace that the specification does not ask for is the runtime's own, and so the host's. Paths to a namespace that
 * lead to the host's in a roundabout way are seen at the running process (process.ts). `user` and `cgroup` are
 * left out: hardly any container has its own, so that it would say nothing.
 */
function hostNamespaces({ linux }: Specification): Container["hostNamespaces"] {
  const own = new Map((linux?.namespaces ?? []).map(({ type, path }) => [type, path ?? ""]));
  const shared = Object.entries(kinds).filter(([type]) => {
    const path = own.get(type);
    return path === undefined || path.startsWith("/proc/1/ns/");
  });
  return shared.map(([, name]) => name);
}

/** The container that only holds a pod's namespaces open: it runs `pause`, and nobody means it by a container. */
export function isSandbox(labels: Record<string, string>): boolean {
  return (
    labels["io.cri-containerd.kind"] === "sandbox" ||
    labels["io.kubernetes.cri.container-type"] === "sandbox" ||
    labels["io.kubernetes.cri-o.ContainerType"] === "sandbox" ||
    labels["io.kubernetes.docker.type"] === "podsandbox"
  );
}

/** What kubelet writes onto containers through any CRI runtime. */
export function podOf(labels: Record<string, string>): Container["pod"] {
  const name = labels["io.kubernetes.pod.name"];
  const namespace = labels["io.kubernetes.pod.namespace"];
  if (name === undefined || namespace === undefined) return null;
  return {
    name,
    namespace,
    uid: labels["io.kubernetes.pod.uid"] ?? "",
    container: labels["io.kubernetes.container.name"] ?? "",
  };
}
