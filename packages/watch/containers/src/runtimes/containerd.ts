import { access, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "@bulwark/model";
import { Caught, factsAtStart } from "../caught.ts";
import { RuntimeError } from "../error.ts";
import { openService, type Service } from "../grpc.ts";
import { processStat } from "../process.ts";
import { numberField, stringField } from "../protobuf.ts";
import type { NodeImage, Runtime, RuntimeSource } from "../registry.ts";
import { isSandbox, podOf, specFacts, type SpecFacts } from "../spec.ts";
import { mapLimited } from "../wait.ts";

/** containerd, every namespace, through its gRPC API (1.4 and later) and its event stream. */
export const containerd: Runtime = {
  kind: "containerd",
  paths: ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"],
  open: async (socket, node) => containerdSource(socket, node),
};

/** What the API allows for a namespace's name (containerd, pkg/identifiers), and a header can carry. */
const namespaceName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,75}$/;
const namespaceLimit = 1000;
/** What a container has to end by itself, as Docker gives it. */
const graceMs = 10_000;
const [SIGKILL, SIGTERM] = [9, 15];

/** Other topics tell of commands run inside, which are many. */
const filters = [
  ...["create", "start", "exit", "delete", "paused", "resumed"].map((name) => `/tasks/${name}`),
  ...["create", "update", "delete"].map((name) => `/containers/${name}`),
].map((topic) => `topic=="${topic}"`);

/**
 * Asks for the tasks, which is small, and for a container's metadata and specification once. What has no task does not run.
 * A container may be over, and its task gone, before the next list: each that begins is asked for at once.
 */
function containerdSource(socket: string, node: string): RuntimeSource {
  const service = (file: string, name: string): Service => openService(socket, file, `containerd.services.${name}`);
  const namespaces = service("containerd-namespaces.proto", "namespaces.v1.Namespaces");
  const containers = service("containerd.proto", "containers.v1.Containers");
  const tasks = service("containerd-tasks.proto", "tasks.v1.Tasks");
  const images = service("containerd-images.proto", "images.v1.Images");
  const events = service("containerd-events.proto", "events.v1.Events");
  const known = new Map<string, Known>();
  const caught = new Caught();

  async function listNamespace(namespace: string, seen: Set<string>): Promise<Container[]> {
    const headers = { "containerd-namespace": namespace };
    const { tasks: listed } = await tasks.call<{ tasks: Task[] }>("List", {}, headers);
    const found = await mapLimited(listed, 8, async (task) => {
      seen.add(`${namespace}/${task.id}`);
      return look(namespace, task);
    });
    return found.filter((container) => container !== undefined);
  }

  async function look(namespace: string, task: Task): Promise<Container | undefined> {
    const entry = await ask(namespace, task);
    const state = states[task.status] ?? "stopped";
    if (entry.told && entry.told.state !== state) {
      const stopped = state === "stopped";
      entry.told = { ...entry.told, state, ...(stopped ? { pid: null, finishedAt: timeOf(task.exited_at) } : {}) };
    }
    return entry.told;
  }

  async function ask(namespace: string, task: Pick<Task, "id" | "pid">): Promise<Known> {
    const key = `${namespace}/${task.id}`;
    const before = known.get(key);
    if (before?.pid === task.pid && !before.stale) return before;
    const described = await describe(namespace, task, before?.pid === task.pid ? before.told : undefined);
    const entry = { pid: task.pid, stale: false, told: described?.told, cgroup: described?.cgroup ?? null };
    known.set(key, entry);
    return entry;
  }

  /** It has been made, and waits to be let go; or it is over by now. */
  async function catchUp(namespace: string, task: Pick<Task, "id" | "pid">): Promise<void> {
    const asked = ask(namespace, task);
    const given = async (): Promise<string[]> => {
      const { cgroup } = await asked;
      return cgroup === null ? [] : [cgroup];
    };
    const [facts, { told }] = await Promise.all([factsAtStart({ ...task, startTicks: 0 }, given), asked]);
    if (told && facts) caught.keep(told, facts);
  }

  /** `before`: what was told of this very run. Its digest stays: a name may lead to another image by now. */
  async function describe(
    namespace: string,
    task: Pick<Task, "id" | "pid">,
    before?: Container,
  ): Promise<{ told: Container; cgroup: string | null } | undefined> {
    const headers = { "containerd-namespace": namespace };
    const message = await orAbsent(
      containers.call<{ container: ContainerMessage | null }>("Get", { id: task.id }, headers),
    );
    if (!message?.container) return undefined;
    const { id, labels, image, spec } = message.container;
    const facts = parseSpec(spec?.value);
    if (isSandbox(labels) || isSandbox(facts?.annotations ?? {})) return undefined;
    const pod = podOf(labels);
    const name = facts?.annotations["io.kubernetes.cri.image-name"] ?? image;
    const told: Container = {
      id,
      node,
      runtime: "containerd",
      runtimeNamespace: namespace,
      name: pod?.container ?? labels["nerdctl/name"] ?? id,
      image: { name, digest: before?.image.digest ?? (await digestOf(image, headers)) },
      labels,
      pod,
      state: "running",
      startedAt: null,
      finishedAt: null,
      pid: task.pid || null,
      rootfs: await rootfsOf(socket, namespace, id, task.pid, facts?.rootfs),
      mounts: facts?.mounts ?? [],
      capabilities: facts?.capabilities ?? [],
      privileged: facts?.privileged ?? false,
      hostNamespaces: facts?.hostNamespaces ?? [],
    };
    return { told, cgroup: facts?.cgroup ?? null };
  }

  async function digestOf(name: string, headers: Record<string, string>): Promise<string | null> {
    if (name === "") return null;
    const answer = await orAbsent(images.call<{ image: ImageMessage | null }>("Get", { name }, headers));
    return answer?.image?.target?.digest ?? /@(sha256:[0-9a-f]{64})$/.exec(name)?.[1] ?? null;
  }

  return {
    async list() {
      const { namespaces: all } = await namespaces.call<{ namespaces: { name: string }[] }>("List", {});
      const names = all.map(({ name }) => name).filter((name) => namespaceName.test(name));
      const seen = new Set<string>();
      const found = await mapLimited(names.slice(0, namespaceLimit), 4, async (name) => listNamespace(name, seen));
      for (const key of known.keys()) if (!seen.has(key)) known.delete(key);
      const told = found.flat();
      return [...told, ...caught.over(told)];
    },
    factsOf: (container) => caught.factsOf(container),
    async images() {
      const { namespaces: all } = await namespaces.call<{ namespaces: { name: string }[] }>("List", {});
      const names = all.map(({ name }) => name).filter((name) => namespaceName.test(name));
      const found = await mapLimited(names.slice(0, namespaceLimit), 4, async (namespace) => {
        const answer = await images.call<{ images: ImageMessage[] }>("List", {}, { "containerd-namespace": namespace });
        return namedOnce(answer.images).map((image): NodeImage => ({
          ...image,
          place: { runtime: "containerd", socket, namespace },
        }));
      });
      return found.flat();
    },
    async watch(changed) {
      const stopping = new AbortController();
      const stream = events.stream<Envelope>("Subscribe", { filters }, {}, stopping.signal);
      const ended = (async () => {
        for await (const { namespace, topic, event } of stream) {
          const subject = stringField(event?.value, 1);
          // The end of a command run inside is an exit too, with its own id.
          if (topic === "/tasks/exit" && stringField(event?.value, 2) !== subject) continue;
          // What cannot be had now is had by a list, as that of the others is.
          if (topic === "/tasks/create" && subject !== undefined)
            void catchUp(namespace, { id: subject, pid: numberField(event?.value, 6) ?? 0 }).catch(() => undefined);
          const entry = known.get(`${namespace}/${subject ?? ""}`);
          if (entry && topic === "/containers/update") entry.stale = true;
          changed();
        }
      })();
      return {
        ended,
        async [Symbol.asyncDispose]() {
          stopping.abort();
          await ended.catch(() => undefined);
        },
      };
    },
    async control({ id, runtimeNamespace: namespace, pid }, order) {
      const headers = { "containerd-namespace": namespace };
      if (order !== "stop") {
        await tasks.call(order === "pause" ? "Pause" : "Resume", { container_id: id }, headers);
        return;
      }
      await tasks.call("Kill", { container_id: id, signal: SIGTERM, all: false }, headers);
      for (let waited = 0; waited < graceMs; waited += 100) {
        if (pid === null || !(await processStat(pid))) return;
        await sleep(100);
      }
      await orAbsent(tasks.call("Kill", { container_id: id, signal: SIGKILL, all: true }, headers));
    },
    async [Symbol.asyncDispose]() {
      for (const open of [namespaces, containers, tasks, images, events]) open[Symbol.dispose]();
    },
  };
}

/** Of a run, which its first process names. */
interface Known {
  pid: number;
  stale: boolean;
  told: Container | undefined;
  /** Where it was to have its processes, in every hierarchy. */
  cgroup: string | null;
}

interface Timestamp {
  seconds: number;
  nanos: number;
}
interface ContainerMessage {
  id: string;
  labels: Record<string, string>;
  image: string;
  spec: { value: Buffer } | null;
}
interface Task {
  id: string;
  pid: number;
  status: string;
  exited_at: Timestamp | null;
}
interface ImageMessage {
  name: string;
  target: { digest: string } | null;
}
interface Envelope {
  namespace: string;
  topic: string;
  event: { value: Buffer } | null;
}

/** Kubernetes has containerd keep an image by its tag, its digest and the digest of its configuration: the first is the one. */
function namedOnce(images: readonly ImageMessage[]): { name: string; digest: string }[] {
  const named = images
    .map(({ name, target }) => ({ name, digest: target?.digest ?? "" }))
    .filter(({ name, digest }) => digest !== "" && !name.startsWith("sha256:"));
  const tagged = new Set(named.filter(({ name }) => !name.includes("@")).map(({ digest }) => digest));
  return named.filter(({ name, digest }) => !name.includes("@") || !tagged.has(digest));
}

const states: Record<string, Container["state"]> = {
  CREATED: "created",
  RUNNING: "running",
  PAUSED: "paused",
  PAUSING: "paused",
};

/** What went between two calls is no fault. */
async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "absent") return undefined;
    throw error;
  }
}

function parseSpec(value: Buffer | undefined): SpecFacts | undefined {
  try {
    return value && specFacts(JSON.parse(value.toString("utf8")));
  } catch {
    return undefined;
  }
}

/**
 * The specification says `rootfs`, which is inside the bundle, and containerd does not say where its bundles are: beside
 * its socket unless its configuration says otherwise, and always where the shim works. One shim may serve a whole pod.
 */
async function rootfsOf(
  socket: string,
  namespace: string,
  id: string,
  pid: number,
  written: string | null | undefined,
): Promise<string | null> {
  if (written?.startsWith("/") === true) return written;
  const stat = pid > 0 ? await processStat(pid) : undefined;
  const bundle = await readlink(`/proc/${stat?.parent ?? 0}/cwd`).catch(() => "/");
  const places = [
    join(dirname(bundle), id, "rootfs"),
    join(dirname(socket), "io.containerd.runtime.v2.task", namespace, id, "rootfs"),
  ];
  for (const place of places) {
    const there = await access(place).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  return null;
}

function timeOf(timestamp: Timestamp | null): number | null {
  return timestamp && timestamp.seconds > 0 ? timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1e6) : null;
}
