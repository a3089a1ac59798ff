import { request, type IncomingMessage } from "node:http";
import type { Container } from "@bulwark/model";
import { errorText, systemCode } from "@bulwark/model";
import { z } from "zod";
import { RuntimeError } from "../error.ts";
import type { RuntimeSource } from "../registry.ts";
import { podOf } from "../spec.ts";

interface Options {
  node: string;
  socket: string;
  /** Podman serves the same API on its own socket. */
  kind: "docker" | "podman";
}

const callTimeout = 5000;
const answerLimit = 16 * 1024 * 1024;

const listed = z.array(z.object({ Id: z.string() })).max(20_000);

const inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  /** Digest of the image's configuration. */
  Image: z.string(),
  State: z.object({
    Status: z.string(),
    Pid: z.number(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
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
    .array(z.object({ Type: z.string(), Source: z.string().nullish(), Destination: z.string(), RW: z.boolean() }))
    .nullish(),
  EffectiveCaps: z.array(z.string()).nullish(),
});
type Inspected = z.infer<typeof inspected>;

/** Docker, and Podman's service that speaks like it, through the HTTP API on a unix socket. */
export function dockerSource({ node, socket, kind }: Options): RuntimeSource {
  async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const text = await ask(socket, path);
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      throw new RuntimeError("failed", `${socket}: the answer to ${path} is not what the API promises`, {
        cause: error,
      });
    }
  }

  async function inspect(id: string): Promise<Container | undefined> {
    try {
      return toContainer(node, kind, await get(`/containers/${encodeURIComponent(id)}/json`, inspected));
    } catch (error) {
      // It went between the list and now.
      if (error instanceof RuntimeError && error.message.includes("status 404")) return undefined;
      throw error;
    }
  }

  return {
    kind,
    async list() {
      const found: Container[] = [];
      for (const { Id } of await get("/containers/json?all=1", listed)) {
        const container = await inspect(Id);
        if (container) found.push(container);
      }
      return found;
    },
    async watch(changed) {
      const filters = encodeURIComponent(JSON.stringify({ type: ["container"] }));
      const stream = await openStream(socket, `/events?filters=${filters}`);
      const ended = new Promise<void>((resolve) => stream.once("close", resolve));
      stream.on("data", () => changed());
      stream.on("error", () => stream.destroy());
      return {
        ended,
        async [Symbol.asyncDispose]() {
          stream.destroy();
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

function toContainer(node: string, kind: "docker" | "podman", answer: Inspected): Container {
  const { Id, Name, Image, State, Config, HostConfig, GraphDriver, Mounts } = answer;
  const labels = Config.Labels ?? {};
  const state = stateOf(State.Status);
  return {
    id: Id,
    node,
    runtime: kind,
    runtimeNamespace: "",
    name: Name.replace(/^\//, ""),
    image: {
      name: Config.Image,
      digest: Image.startsWith("sha256:") ? Image : Image === "" ? null : `sha256:${Image}`,
    },
    labels,
    pod: podOf(labels),
    state,
    startedAt: timeOf(State.StartedAt),
    finishedAt: state === "stopped" ? timeOf(State.FinishedAt) : null,
    pid: State.Pid > 0 ? State.Pid : null,
    rootfs: GraphDriver?.Data?.["MergedDir"] ?? null,
    mounts: (Mounts ?? []).map(({ Type, Source, Destination, RW }) => ({
      source: Source ?? "",
      target: Destination,
      type: Type,
      readOnly: !RW,
    })),
    capabilities: answer.EffectiveCaps ?? dockerCapabilities(HostConfig),
    privileged: HostConfig.Privileged ?? false,
    hostNamespaces: hostNamespaces(HostConfig),
  };
}

/** What Docker grants without being asked: moby, oci/caps/defaults.go. */
const defaultCapabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
];

function dockerCapabilities({ Privileged, CapAdd, CapDrop }: Inspected["HostConfig"]): string[] {
  const plain = (name: string): string => name.toUpperCase().replace(/^CAP_/, "");
  const added = (CapAdd ?? []).map(plain);
  if (Privileged === true || added.includes("ALL")) return ["CAP_ALL"];
  const dropped = new Set((CapDrop ?? []).map(plain));
  const granted = dropped.has("ALL") ? [] : defaultCapabilities.filter((name) => !dropped.has(name));
  return [...new Set([...granted, ...added])].map((name) => `CAP_${name}`);
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
  if (status === "running" || status === "paused" || status === "created") return status;
  return status === "restarting" || status === "configured" ? "created" : "stopped";
}

/** `0001-01-01…` is Go's way to say never. */
function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return time > 0 ? time : null;
}

async function ask(socket: string, path: string): Promise<string> {
  const response = await open(socket, path, callTimeout);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerLimit) throw new RuntimeError("failed", `${socket}: an answer of more than 16 MB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function openStream(socket: string, path: string): Promise<IncomingMessage> {
  return open(socket, path, 0);
}

async function open(socket: string, path: string, timeout: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, path, timeout, headers: { host: "localhost" } }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      return reject(
        new RuntimeError("failed", `${socket}: ${path} was answered with status ${String(response.statusCode)}`),
      );
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 5 seconds")));
    call.on("error", (error) => reject(explain(socket, error)));
    call.end();
  });
}

function explain(socket: string, error: Error): RuntimeError {
  if (systemCode(error) === "EACCES") {
    return new RuntimeError("denied", `${socket}: permission denied`, {
      remedy: "run the agent as root",
      cause: error,
    });
  }
  return new RuntimeError("failed", `${socket}: ${errorText(error)}`, {
    remedy: "see whether the runtime runs",
    cause: error,
  });
}
