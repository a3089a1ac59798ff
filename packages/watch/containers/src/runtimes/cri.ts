import type { Container } from "@bulwark/model";
import { z } from "zod";
import { RuntimeError } from "../error.ts";
import { openService } from "../grpc.ts";
import { poll } from "../poll.ts";
import type { RuntimeSource, Watch } from "../registry.ts";
import { podOf, specFacts } from "../spec.ts";
import { mapLimited } from "../wait.ts";

/** Less than a call may take. */
const graceSeconds = 3;
const pollInterval = 1000;

/** CRI-O's `info` of a container, as JSON inside the verbose status. */
const verbose = z.object({ pid: z.number().nullish(), runtimeSpec: z.unknown() });

/** CRI-O, through the Container Runtime Interface (v1). Its list does not have the containers that hold pods open. */
export function crioSource(socket: string, node: string): RuntimeSource {
  const runtime = openService(socket, "cri.proto", "runtime.v1.RuntimeService");
  /** A status does not change while the state stays: asked once for each. */
  const known = new Map<string, { state: string; container: Container | undefined }>();

  async function look({ id, state }: { id: string; state: string }): Promise<Container | undefined> {
    const before = known.get(id);
    if (before?.state === state) return before.container;
    const container = await status(id);
    known.set(id, { state, container });
    return container;
  }

  async function status(id: string): Promise<Container | undefined> {
    try {
      return toContainer(
        node,
        await runtime.call<StatusMessage>("ContainerStatus", { container_id: id, verbose: true }),
      );
    } catch (error) {
      // It went between the list and now.
      if (error instanceof RuntimeError && error.code === "absent") return undefined;
      throw error;
    }
  }

  return {
    async list() {
      const { containers } = await runtime.call<{ containers: { id: string; state: string }[] }>("ListContainers", {});
      const living = containers.filter(({ state }) => state === "CONTAINER_RUNNING" || state === "CONTAINER_CREATED");
      const ids = new Set(living.map(({ id }) => id));
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      const found = await mapLimited(living, 8, look);
      return found.filter((container) => container !== undefined);
    },
    /** Events are off in CRI-O unless `enable_pod_events` is set; until one has come it is asked every second. */
    async watch(changed): Promise<Watch> {
      const stopping = new AbortController();
      let polling: Watch | undefined = poll(pollInterval, changed);
      const stopPolling = async (): Promise<void> => {
        await polling?.[Symbol.asyncDispose]();
        polling = undefined;
      };
      const events = (async () => {
        try {
          for await (const _ of runtime.stream("GetContainerEvents", {}, {}, stopping.signal)) {
            await stopPolling();
            changed();
          }
        } catch {
          // Not offered, or gone with CRI-O itself, which the next look finds out.
        }
        if (!stopping.signal.aborted) polling ??= poll(pollInterval, changed);
      })();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      return {
        ended,
        async [Symbol.asyncDispose]() {
          stopping.abort();
          await events;
          await stopPolling();
          resolve();
        },
      };
    },
    async control({ id }, order) {
      // The interface knows no pausing.
      if (order !== "stop") {
        throw new RuntimeError("failed", "CRI-O does not pause containers for others", {
          remedy: "freeze the container instead",
        });
      }
      await runtime.call("StopContainer", { container_id: id, timeout: graceSeconds });
    },
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
    image: { image: string; user_specified_image: string } | null;
    image_ref: string;
    labels: Record<string, string>;
  } | null;
  info: Record<string, string>;
}

function toContainer(node: string, { status, info }: StatusMessage): Container | undefined {
  if (!status) return undefined;
  const extra = parseInfo(info["info"]);
  const facts = specFacts(extra?.runtimeSpec);
  const running = status.state === "CONTAINER_RUNNING";
  return {
    id: status.id,
    node,
    runtime: "cri-o",
    runtimeNamespace: "",
    name: status.metadata?.name ?? status.id,
    image: {
      name: status.image?.user_specified_image || status.image?.image || "",
      digest: /sha256:[0-9a-f]{64}/.exec(status.image_ref)?.[0] ?? null,
    },
    labels: status.labels,
    pod: podOf(status.labels),
    state: running ? "running" : status.state === "CONTAINER_CREATED" ? "created" : "stopped",
    startedAt: millisecondsOf(status.started_at),
    finishedAt: null,
    pid: extra?.pid || null,
    rootfs: facts?.rootfs?.startsWith("/") === true ? facts.rootfs : null,
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
