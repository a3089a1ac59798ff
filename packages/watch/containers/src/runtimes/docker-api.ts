import type { Container } from "@bulwark/model";
import { capabilityNames } from "@bulwark/model/plain";
import { z } from "zod";
import { RuntimeError } from "../error.ts";
import { getJson, post, watchLines } from "../http.ts";
import type { NodeImage, RuntimeSource } from "../registry.ts";
import { isSandbox, podOf } from "../spec.ts";
import { mapLimited } from "../wait.ts";

interface Options {
  node: string;
  socket: string;
  /** Podman serves the same API on its own socket. */
  kind: "docker" | "podman";
}

const listed = z.array(z.object({ Id: z.string(), State: z.string().nullish() })).max(50_000);

const images = z.array(z.object({ Id: z.string(), RepoTags: z.array(z.string()).nullish() })).max(50_000);

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  /** Digest of the image's configuration, or of its manifest where containerd keeps Docker's images. */
  Image: z.string(),
  State: z.object({ Status: z.string(), Pid: z.number(), StartedAt: z.string() }),
  Config: z.object({ Image: z.string(), Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({
    Privileged: z.boolean().nullish(),
    PidMode: z.string().nullish(),
    NetworkMode: z.string().nullish(),
    IpcMode: z.string().nullish(),
    UTSMode: z.string().nullish(),
    CapAdd: z.array(z.string()).nullish(),
    CapDrop: z.array(z.string()).nullish(),
  }),
  GraphDriver: z.object({ Data: z.record(z.string(), z.string()).nullish() }).nullish(),
  Mounts: z
    .array(
      z.object({ Type: z.string().nullish(), Source: z.string().nullish(), Destination: z.string(), RW: z.boolean() }),
    )
    .nullish(),
  /** Only Podman. */
  EffectiveCaps: z.array(z.string()).nullish(),
});
type Inspected = z.infer<typeof inspected>;

const event = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string() }).nullish(),
  id: z.string().nullish(),
});

/** The others tell of commands run inside, of health checks, of attached terminals: many, and no change. */
const changes = new Set(
  "create init start restart die died stop kill oom pause unpause rename update destroy remove cleanup restore".split(
    " ",
  ),
);

/** What speaks Docker's HTTP API (version 1.24 and later) on a unix socket: Docker, and Podman's service. */
export function dockerApiSource({ node, socket, kind }: Options): RuntimeSource {
  /** Inspected once, and again when an event names it. */
  const known = new Map<string, { state: string; container: Container | undefined }>();

  async function look(id: string, state: string): Promise<Container | undefined> {
    const before = known.get(id);
    if (before?.state === state) return before.container;
    try {
      const container = toContainer(
        node,
        kind,
        await getJson(socket, `/containers/${encodeURIComponent(id)}/json`, inspected),
      );
      known.set(id, { state, container });
      return container;
    } catch (error) {
      // It went between the list and now.
      if (error instanceof RuntimeError && error.code === "absent") return undefined;
      throw error;
    }
  }

  return {
    async list() {
      const living = await getJson(socket, "/containers/json", listed);
      const ids = new Set(living.map(({ Id }) => Id));
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      const found = await mapLimited(living, 8, async ({ Id, State }) => look(Id, State ?? ""));
      return found.filter((container) => container !== undefined);
    },
    async images() {
      const answer = await getJson(socket, "/images/json", images);
      return answer.flatMap(({ Id, RepoTags }) => {
        const digest = digestOf(Id);
        if (digest === null) return [];
        return (RepoTags ?? [])
          .filter((name) => !name.startsWith("<none>"))
          .map((name): NodeImage => ({ name, digest, place: { runtime: kind, socket, namespace: "" } }));
      });
    },
    async watch(changed) {
      const filters = encodeURIComponent(JSON.stringify({ type: ["container"] }));
      return watchLines(socket, `/events?filters=${filters}`, (line) => {
        const { Action = "", Actor, id } = parseEvent(line) ?? {};
        if (!changes.has(Action)) return;
        known.delete(Actor?.ID ?? id ?? "");
        changed();
      });
    },
    async control({ id }, order) {
      // https://docs.docker.com/reference/api/engine: 304 where it is so already.
      const name = { pause: "pause", resume: "unpause", stop: "stop" }[order];
      await post(socket, `/containers/${encodeURIComponent(id)}/${name}`);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function parseEvent(line: string): z.infer<typeof event> | undefined {
  try {
    return event.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function toContainer(node: string, kind: "docker" | "podman", answer: Inspected): Container | undefined {
  const { Id, Name, Image, State, Config, HostConfig, GraphDriver, Mounts } = answer;
  const labels = Config.Labels ?? {};
  if (isSandbox(labels)) return undefined;
  return {
    id: Id,
    node,
    runtime: kind,
    runtimeNamespace: "",
    name: Name.replace(/^\//, ""),
    image: { name: Config.Image, digest: digestOf(Image) },
    labels,
    pod: podOf(labels),
    state: stateOf(State.Status),
    startedAt: timeOf(State.StartedAt),
    finishedAt: null,
    pid: State.Pid > 0 ? State.Pid : null,
    rootfs: GraphDriver?.Data?.["MergedDir"] ?? null,
    mounts: (Mounts ?? []).map(({ Type, Source, Destination, RW }) => ({
      source: Source ?? "",
      target: Destination,
      type: Type ?? "bind",
      readOnly: !RW,
    })),
    capabilities: answer.EffectiveCaps ?? dockerCapabilities(HostConfig),
    privileged: HostConfig.Privileged ?? false,
    hostNamespaces: hostNamespaces(HostConfig),
  };
}

function digestOf(image: string): string | null {
  if (/^[0-9a-f]{64}$/.test(image)) return `sha256:${image}`;
  return image.startsWith("sha256:") ? image : null;
}

/** What Docker grants without being asked: moby, oci/caps/defaults.go. */
const defaultCapabilities =
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
    .split(" ")
    .map((name) => `CAP_${name}`);

function dockerCapabilities({ Privileged, CapAdd, CapDrop }: Inspected["HostConfig"]): string[] {
  const plain = (name: string): string => `CAP_${name.toUpperCase().replace(/^CAP_/, "")}`;
  const added = (CapAdd ?? []).map(plain);
  const dropped = new Set((CapDrop ?? []).map(plain));
  if (Privileged === true) return [...capabilityNames];
  if (added.includes("CAP_ALL")) return capabilityNames.filter((name) => !dropped.has(name));
  const granted = dropped.has("CAP_ALL") ? [] : defaultCapabilities.filter((name) => !dropped.has(name));
  return [...new Set([...granted, ...added])];
}

function hostNamespaces({
  PidMode,
  NetworkMode,
  IpcMode,
  UTSMode,
}: Inspected["HostConfig"]): Container["hostNamespaces"] {
  const modes = { pid: PidMode, net: NetworkMode, ipc: IpcMode, uts: UTSMode } as const;
  return (Object.keys(modes) as (keyof typeof modes)[]).filter((name) => modes[name] === "host");
}

function stateOf(status: string): Container["state"] {
  if (status === "running" || status === "paused") return status;
  return ["created", "configured", "initialized", "restarting"].includes(status) ? "created" : "stopped";
}

/** `0001-01-01…` is Go's way to say never. */
function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return time > 0 ? time : null;
}
