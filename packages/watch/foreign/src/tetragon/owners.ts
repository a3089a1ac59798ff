import type { Owner } from "@bulwark/detect";
import type { Container, ContainerRef } from "@bulwark/model";
import { nanosecondsAt, numberAt, objectAt, textAt, type Json } from "../json.ts";
import { Latest } from "../latest.ts";
import { runtimeNamed } from "../runtime.ts";
import { hasFlag } from "./identity.ts";

type Cgroups = string[];

const remembered = 5000;
/** Digits of a container's id that Tetragon tells where it knows no more. */
const shortId = 31;

/**
 * Whose processes are. Tetragon tells the container itself, not the cgroups by which the pipeline asks for it: each
 * container has an empty list of them that is its own, and what hangs on that list is forgotten with the last process.
 */
export class Owners {
  readonly #node: string;
  readonly #host: Cgroups = [];
  readonly #unknown: Cgroups = [];
  readonly #containers = new Latest<{ cgroups: Cgroups; container: Container }>(remembered);
  readonly #owners = new WeakMap<readonly string[], Owner>();

  constructor(node: string) {
    this.#node = node;
    this.#owners.set(this.#host, { attribution: "host" });
  }

  get(cgroups: readonly string[]): Owner {
    return this.#owners.get(cgroups);
  }

  /** The list that stands for whoever a process belongs to. */
  cgroupsOf(process: Json, pid: number): Cgroups {
    const pod = objectAt(process["pod"]);
    const [runtime, fullId] = splitId(textAt(objectAt(pod["container"])["id"], 256));
    const id = fullId || textAt(process["docker"], 256);
    if (id === "") return hasFlag(process, "unknown") || !("exec_id" in process) ? this.#unknown : this.#host;
    const known = this.#containers.get(id.slice(0, shortId));
    const told = containerOf(this.#node, id, runtime, pod);
    const container = known === undefined || told.pod !== null ? told : known.container;
    // The first process of the container, as the container itself counts.
    container.pid = numberAt(objectAt(pod["container"])["pid"]) === 1 ? pid : (known?.container.pid ?? null);
    const cgroups = known?.cgroups ?? [];
    this.#containers.set(id.slice(0, shortId), { cgroups, container });
    this.#owners.set(cgroups, { attribution: "container", container });
    return cgroups;
  }
}

/** `containerd://4b0df5a13726…` */
function splitId(id: string): [runtime: string, id: string] {
  const at = id.indexOf("://");
  return at < 0 ? ["", id] : [id.slice(0, at), id.slice(at + 3)];
}

function containerOf(node: string, id: string, runtime: string, pod: Json): Container {
  const container = objectAt(pod["container"]);
  const image = objectAt(container["image"]);
  const started = nanosecondsAt(container["start_time"]);
  const digest = /@(sha\d+:[0-9a-f]+)$/.exec(textAt(image["id"], 1024))?.[1];
  return {
    id,
    node,
    runtime: runtimeNamed(runtime),
    runtimeNamespace: "",
    name: textAt(container["name"], 512),
    image: { name: textAt(image["name"], 1024), digest: digest?.slice(0, 128) ?? null },
    labels: {},
    pod: podOf(pod),
    state: "running",
    startedAt: started === undefined ? null : Number(started / 1_000_000n),
    finishedAt: null,
    pid: null,
    rootfs: null,
    mounts: [],
    capabilities: [],
    privileged: objectAt(container["security_context"])["privileged"] === true,
    hostNamespaces: [],
  };
}

function podOf(pod: Json): ContainerRef["pod"] {
  const name = textAt(pod["name"], 256);
  if (name === "") return null;
  const [workload, kind] = [textAt(pod["workload"], 256), textAt(pod["workload_kind"], 128)];
  const owners =
    workload === "" || kind === "" || kind === "Pod" ? [] : [{ kind, apiVersion: "", name: workload, uid: "" }];
  const labels = Object.entries(objectAt(pod["pod_labels"])).slice(0, 256);
  return {
    name,
    namespace: textAt(pod["namespace"], 256),
    uid: textAt(pod["uid"], 128),
    container: textAt(objectAt(pod["container"])["name"], 256),
    ...((owners.length > 0 || labels.length > 0) && {
      metadata: {
        labels: Object.fromEntries(labels.map(([key, value]) => [key.slice(0, 512), textAt(value)])),
        owners,
        serviceAccount: "",
      },
    }),
  };
}
