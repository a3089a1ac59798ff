import type { Container } from "@bulwark/model";
import { z } from "zod";
import { openService } from "../grpc.ts";
import { poll } from "../poll.ts";
import type { RuntimeSource } from "../registry.ts";
import { podOf, specFacts } from "../spec.ts";

interface Options {
  node: string;
  socket: string;
}

/** CRI-O's `info` of a container, as JSON inside the verbose status. */
const verbose = z.object({ pid: z.number().nullish(), runtimeSpec: z.unknown() });

/** CRI-O, through the Container Runtime Interface. Its event stream is off by default, so that it is asked every second. */
export function crioSource({ node, socket }: Options): RuntimeSource {
  const runtime = openService(socket, "cri.proto", "runtime.v1.RuntimeService");
  /** Status of containers that do not change any more or run on: asked once for each state. */
  const known = new Map<string, { state: string; container: Container }>();

  async function list(): Promise<Container[]> {
    const { containers } = await runtime.call<{ containers: { id: string; state: string }[] }>("ListContainers", {});
    const found: Container[] = [];
    for (const { id, state } of containers) {
      const before = known.get(id);
      const container = before?.state === state ? before.container : await status(id);
      known.set(id, { state, container });
      found.push(container);
    }
    const listed = new Set(containers.map(({ id }) => id));
    for (const id of known.keys()) if (!listed.has(id)) known.delete(id);
    return found;
  }

  async function status(id: string): Promise<Container> {
    const answer = await runtime.call<StatusMessage>("ContainerStatus", { container_id: id, verbose: true });
    return toContainer(node, answer);
  }

  return {
    kind: "cri-o",
    list,
    watch: async (changed) => poll(1000, changed),
    async [Symbol.asyncDispose]() {
      runtime[Symbol.dispose]();
    },
  };
}

interface StatusMessage {
  status: {
    id: string;
    metadata: { name: string } | null;
    state: string;
    started_at: number;
    finished_at: number;
    image: { image: string } | null;
    image_ref: string;
    labels: Record<string, string>;
  };
  info: Record<string, string>;
}

const states: Record<string, Container["state"]> = { CONTAINER_CREATED: "created", CONTAINER_RUNNING: "running" };

function toContainer(node: string, { status, info }: StatusMessage): Container {
  const extra = parseInfo(info["info"]);
  const facts = specFacts(extra?.runtimeSpec);
  const state = states[status.state] ?? "stopped";
  return {
    id: status.id,
    node,
    runtime: "cri-o",
    runtimeNamespace: "",
    name: status.metadata?.name ?? status.id,
    image: { name: status.image?.image ?? "", digest: /sha256:[0-9a-f]{64}/.exec(status.image_ref)?.[0] ?? null },
    labels: status.labels,
    pod: podOf(status.labels),
    state,
    startedAt: millisecondsOf(status.started_at),
    finishedAt: state === "stopped" ? millisecondsOf(status.finished_at) : null,
    pid: state === "running" && extra?.pid ? extra.pid : null,
    rootfs: facts?.rootfs?.startsWith("/") ? facts.rootfs : null,
    mounts: facts?.mounts ?? [],
    capabilities: facts?.capabilities ?? [],
    privileged: facts?.privileged ?? false,
    hostNamespaces: facts?.hostNamespaces ?? [],
  };
}

function parseInfo(text: string | undefined): z.infer<typeof verbose> | undefined {
  try {
    return text === undefined ? undefined : verbose.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The interface counts nanoseconds; 0 is never. */
function millisecondsOf(nanoseconds: number): number | null {
  return nanoseconds > 0 ? Math.floor(nanoseconds / 1e6) : null;
}
