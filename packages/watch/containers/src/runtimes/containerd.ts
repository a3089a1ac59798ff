import type { Container } from "@bulwark/model";
import { openService, type Service } from "../grpc.ts";
import type { RuntimeSource } from "../registry.ts";
import { podOf, specFacts, type SpecFacts } from "../spec.ts";

interface Options {
  node: string;
  socket: string;
}

/** containerd, every namespace, through its gRPC API and its event stream. */
export function containerdSource({ node, socket }: Options): RuntimeSource {
  const service = (file: string, name: string): Service => openService(socket, file, `containerd.services.${name}`);
  const namespaces = service("containerd-namespaces.proto", "namespaces.v1.Namespaces");
  const containers = service("containerd.proto", "containers.v1.Containers");
  const tasks = service("containerd-tasks.proto", "tasks.v1.Tasks");
  const images = service("containerd-images.proto", "images.v1.Images");
  const events = service("containerd-events.proto", "events.v1.Events");
  /** A specification never changes while its container lives, and parsing it is most of the cost of a list. */
  const facts = new Map<string, SpecFacts | undefined>();

  async function listNamespace(namespace: string): Promise<Container[]> {
    const headers = { "containerd-namespace": namespace };
    const [{ containers: listed }, { tasks: running }, { images: known }] = await Promise.all([
      containers.call<{ containers: ContainerMessage[] }>("List", {}, headers),
      tasks.call<{ tasks: ProcessMessage[] }>("List", {}, headers),
      images.call<{ images: ImageMessage[] }>("List", {}, headers),
    ]);
    const byId = new Map(running.map((task) => [task.id, task]));
    const digests = new Map(known.map((image) => [image.name, image.target?.digest ?? null]));
    return listed
      .filter((container) => container.labels["io.cri-containerd.kind"] !== "sandbox")
      .map((container) =>
        toContainer(namespace, container, byId.get(container.id), digests.get(container.image) ?? null),
      );
  }

  function toContainer(
    namespace: string,
    message: ContainerMessage,
    task: ProcessMessage | undefined,
    digest: string | null,
  ): Container {
    const { id, labels, image } = message;
    const key = `${namespace}/${id}/${timeOf(message.created_at) ?? 0}`;
    if (!facts.has(key)) facts.set(key, parseSpec(message.spec?.value));
    const known = facts.get(key);
    const pod = podOf(labels);
    const state = stateOf(task);
    return {
      id,
      node,
      runtime: "containerd",
      runtimeNamespace: namespace,
      name: pod?.container ?? labels["nerdctl/name"] ?? id,
      image: { name: image, digest },
      labels,
      pod,
      state,
      startedAt: timeOf(message.created_at),
      finishedAt: state === "stopped" ? timeOf(task?.exited_at) : null,
      pid: state === "stopped" || !task?.pid ? null : task.pid,
      rootfs: known?.rootfs?.startsWith("/") ? known.rootfs : null,
      mounts: known?.mounts ?? [],
      capabilities: known?.capabilities ?? [],
      privileged: known?.privileged ?? false,
      hostNamespaces: known?.hostNamespaces ?? [],
    };
  }

  return {
    kind: "containerd",
    async list() {
      const { namespaces: listed } = await namespaces.call<{ namespaces: { name: string }[] }>("List", {});
      const found = await Promise.all(listed.map(async ({ name }) => listNamespace(name)));
      const all = found.flat();
      if (facts.size > 2 * all.length + 1000) facts.clear();
      return all;
    },
    async watch(changed) {
      const stopping = new AbortController();
      const stream = events.stream<{ topic: string }>("Subscribe", {}, {}, stopping.signal);
      const ended = (async () => {
        for await (const { topic } of stream) {
          if (topic.startsWith("/tasks/") || topic.startsWith("/containers/")) changed();
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
    async [Symbol.asyncDispose]() {
      for (const open of [namespaces, containers, tasks, images, events]) open[Symbol.dispose]();
    },
  };
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
  created_at: Timestamp | null;
}
interface ProcessMessage {
  id: string;
  pid: number;
  status: string;
  exited_at: Timestamp | null;
}
interface ImageMessage {
  name: string;
  target: { digest: string } | null;
}

function parseSpec(value: Buffer | undefined): SpecFacts | undefined {
  try {
    return value && specFacts(JSON.parse(value.toString("utf8")));
  } catch {
    return undefined;
  }
}

function stateOf(task: ProcessMessage | undefined): Container["state"] {
  switch (task?.status) {
    case "RUNNING":
      return "running";
    case "PAUSED":
    case "PAUSING":
      return "paused";
    case "CREATED":
      return "created";
    default:
      return "stopped";
  }
}

function timeOf(timestamp: Timestamp | null | undefined): number | null {
  return timestamp ? timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1e6) : null;
}
