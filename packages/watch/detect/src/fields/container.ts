import type { Container, Mount } from "@bulwark/model";
import { imageParts, type FieldValue } from "@bulwark/rules/run";
import type { Getter } from "./event.ts";

/** What is asked of a container has no value on the host, and none while nobody knows whose a process is. */
const of =
  (read: (container: Container, argument?: string) => FieldValue): Getter =>
  ({ observation: { container } }, argument) =>
    container && read(container, argument);

/** Falco says "host" where there is no container; who is not known is neither. */
const orHost =
  (read: (container: Container) => FieldValue): Getter =>
  ({ attribution, observation: { container } }) =>
    container ? read(container) : attribution === "host" ? "host" : undefined;

const shares = (name: Container["hostNamespaces"][number]): Getter =>
  of(({ hostNamespaces }) => hostNamespaces.includes(name));

const owner = (kind: string): Getter => of(({ pod }) => pod?.metadata?.owners.find((item) => item.kind === kind)?.name);

export const containerFields: readonly (readonly [string, Getter])[] = [
  ["container.id", orHost(({ id }) => id.slice(0, 12))],
  ["container.full_id", orHost(({ id }) => id)],
  ["container.name", orHost(({ name }) => name)],
  ["container.type", of(({ runtime }) => runtime)],
  ["container.image", of(({ image }) => image.name)],
  ["container.image.id", of(({ image }) => image.digest ?? undefined)],
  ["container.image.digest", of(({ image }) => image.digest ?? undefined)],
  ["container.image.repository", of(({ image }) => imageParts(image.name).repository)],
  ["container.image.tag", of(({ image }) => imageParts(image.name).tag)],
  ["container.privileged", of(({ privileged }) => privileged)],
  ["container.host_pid", shares("pid")],
  ["container.host_network", shares("net")],
  ["container.host_ipc", shares("ipc")],
  ["container.start_ts", of(({ startedAt }) => (startedAt === null ? undefined : startedAt * 1e6))],
  ["container.label", of(({ labels }, key = "") => labels[key])],
  ["container.labels", of(({ labels }) => pairs(labels))],
  ["container.mounts", of(mountsText)],
  [
    "container.mount",
    of(({ mounts }, key = "") =>
      found(mounts, "source", key) ? mountText(found(mounts, "source", key) as Mount) : "none",
    ),
  ],
  ["container.mount.source", of(({ mounts }, key = "") => found(mounts, "target", key)?.source)],
  ["container.mount.dest", of(({ mounts }, key = "") => found(mounts, "source", key)?.target)],
  ["container.mount.rdwr", of(({ mounts }, key = "") => rights(found(mounts, "source", key)))],
  ["k8s.pod.name", of(({ pod }) => pod?.name)],
  ["k8s.pod.uid", of(({ pod }) => pod?.uid)],
  ["k8s.pod.id", of(({ pod }) => pod?.uid)],
  ["k8s.pod.label", of(({ pod }, key = "") => pod?.metadata?.labels[key])],
  ["k8s.pod.labels", of(({ pod }) => pod?.metadata && pairs(pod.metadata.labels))],
  ["k8s.ns.name", of(({ pod }) => pod?.namespace)],
  ["k8s.deployment.name", owner("Deployment")],
  ["k8s.rs.name", owner("ReplicaSet")],
  ["k8s.rc.name", owner("ReplicationController")],
  ["bulwark.workload.kind", of(({ pod }) => pod?.metadata?.owners.at(-1)?.kind)],
  ["bulwark.workload.name", of(({ pod }) => pod?.metadata?.owners.at(-1)?.name)],
  ["bulwark.service_account", of(({ pod }) => pod?.metadata?.serviceAccount)],
];

function pairs(labels: Readonly<Record<string, string>>): string | undefined {
  const all = Object.entries(labels).map(([key, value]) => `${key}:${value}`);
  return all.length === 0 ? undefined : all.join(",");
}

/** Asked of every program that begins; a container is another object when it changes. */
const mountsTexts = new WeakMap<Container, string>();

function mountsText(container: Container): string | undefined {
  let text = mountsTexts.get(container);
  if (text === undefined) mountsTexts.set(container, (text = container.mounts.map(mountText).join(" ")));
  return text || undefined;
}

/** `source:dest:mode:rdwr:propagation`; mode and propagation are not known. */
function mountText({ source, target, readOnly }: Mount): string {
  return `${source}:${target}::${String(!readOnly)}:`;
}

function rights(mount: Mount | undefined): string | undefined {
  return mount && String(!mount.readOnly);
}

/** By number, or by a path that may end with a star. */
function found(mounts: readonly Mount[], side: "source" | "target", key: string): Mount | undefined {
  if (/^\d+$/.test(key)) return mounts[Number(key)];
  const start = key.replace(/\*$/, "");
  return mounts.find((mount) => (key.endsWith("*") ? mount[side].startsWith(start) : mount[side] === key));
}
