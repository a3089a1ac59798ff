import type { FieldValue } from "../event.ts";
import { imageParts } from "../image.ts";
import { list, record, scalar, text, type Json } from "./json.ts";

type PodGetter = (pod: Json | undefined, index?: string) => FieldValue;

/** `ka.req.pod.*` over the specification of a pod. Lists have one value for each container, in their order. */
export const podFields: readonly (readonly [name: string, of: PodGetter])[] = [
  ["ka.req.pod.containers.image", each((container) => text(container["image"]))],
  ["ka.req.container.image", (pod) => first(each((container) => text(container["image"]))(pod))],
  ["ka.req.pod.containers.image.repository", each(repository)],
  ["ka.req.container.image.repository", (pod) => first(each(repository)(pod))],
  ["ka.req.pod.host_ipc", flag("hostIPC")],
  ["ka.req.pod.host_network", flag("hostNetwork")],
  ["ka.req.container.host_network", flag("hostNetwork")],
  ["ka.req.pod.host_pid", flag("hostPID")],
  [
    "ka.req.pod.containers.host_port",
    eachOf((container) => list(container["ports"]).map((port) => scalar(record(port)["hostPort"]))),
  ],
  ["ka.req.pod.containers.privileged", each(security("privileged", "false"))],
  ["ka.req.container.privileged", (pod) => anyOf(each(security("privileged", "false"))(pod), "true")],
  ["ka.req.pod.containers.allow_privilege_escalation", each(security("allowPrivilegeEscalation", "true"))],
  ["ka.req.pod.containers.read_only_fs", each(security("readOnlyRootFilesystem", "false"))],
  ["ka.req.pod.run_as_user", (pod) => scalar(record(pod?.["securityContext"])["runAsUser"])],
  ["ka.req.pod.containers.run_as_user", each(security("runAsUser"))],
  ["ka.req.pod.containers.eff_run_as_user", effective("runAsUser")],
  ["ka.req.pod.run_as_group", (pod) => scalar(record(pod?.["securityContext"])["runAsGroup"])],
  ["ka.req.pod.containers.run_as_group", each(security("runAsGroup"))],
  ["ka.req.pod.containers.eff_run_as_group", effective("runAsGroup")],
  ["ka.req.pod.containers.proc_mount", each(security("procMount"))],
  ["ka.req.pod.fs_group", (pod) => scalar(record(pod?.["securityContext"])["fsGroup"])],
  [
    "ka.req.pod.supplemental_groups",
    (pod) => found(list(record(pod?.["securityContext"])["supplementalGroups"]).map(scalar)),
  ],
  [
    "ka.req.pod.containers.add_capabilities",
    eachOf((container) => list(record(record(container["securityContext"])["capabilities"])["add"]).map(scalar)),
  ],
  ["ka.req.pod.volumes.hostpath", volumes((volume) => text(record(volume["hostPath"])["path"]))],
  ["ka.req.volume.hostpath", hasHostPath],
  ["ka.req.pod.volumes.flexvolume_driver", volumes((volume) => text(record(volume["flexVolume"])["driver"]))],
  ["ka.req.pod.volumes.volume_type", volumes((volume) => Object.keys(volume).find((key) => key !== "name"))],
];

function containersOf(pod: Json | undefined): Json[] {
  // Init and ephemeral containers can be as privileged as the others; Falco's plugin looks at `containers` only.
  return ["containers", "initContainers", "ephemeralContainers"].flatMap((key) => list(pod?.[key]).map(record));
}

function each(of: (container: Json) => string | undefined): PodGetter {
  return eachOf((container) => [of(container)]);
}

function eachOf(of: (container: Json) => (string | undefined)[]): PodGetter {
  return (pod, index) => {
    const all = containersOf(pod);
    const chosen = index === undefined ? all : all.slice(Number(index), Number(index) + 1);
    return found(chosen.flatMap(of));
  };
}

function found(values: (string | undefined)[]): string[] | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? undefined : there;
}

function first(values: FieldValue): FieldValue {
  return Array.isArray(values) ? (values as readonly string[])[0] : values;
}

function anyOf(values: FieldValue, wanted: string): FieldValue {
  return Array.isArray(values) ? String((values as readonly string[]).includes(wanted)) : undefined;
}

function repository(container: Json): string | undefined {
  const image = text(container["image"]);
  return image === undefined ? undefined : imageParts(image).repository;
}

function flag(key: string): PodGetter {
  return (pod) => (pod === undefined ? undefined : String(pod[key] === true));
}

function security(key: string, usual?: string): (container: Json) => string | undefined {
  return (container) => scalar(record(container["securityContext"])[key]) ?? usual;
}

/** What a container says, else what its pod says, else 0: root. */
function effective(key: string): PodGetter {
  return (pod, index) => {
    const ofPod = scalar(record(pod?.["securityContext"])[key]) ?? "0";
    return each(security(key, ofPod))(pod, index);
  };
}

function volumes(of: (volume: Json) => string | undefined): PodGetter {
  return (pod, index) => {
    const all = list(pod?.["volumes"]).map(record);
    const chosen = index === undefined ? all : all.slice(Number(index), Number(index) + 1);
    return found(chosen.map(of));
  };
}

/** `ka.req.volume.hostpath[/etc]`, and with a star at its end for what is below. */
function hasHostPath(pod: Json | undefined, path = ""): FieldValue {
  if (pod === undefined) return undefined;
  const paths = (volumes((volume) => text(record(volume["hostPath"])["path"]))(pod) ?? []) as readonly string[];
  const prefix = path.replace(/\*$/, "");
  return String(paths.some((one) => (path.endsWith("*") ? one.startsWith(prefix) : one === path)));
}
