import { watch as watchFolder, type FSWatcher } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Container, RuntimeKind } from "@bulwark/model";
import { systemCode } from "@bulwark/model";
import { z } from "zod";
import { RuntimeError } from "../error.ts";
import { poll } from "../poll.ts";
import type { RuntimeSource } from "../registry.ts";
import { podOf, specFacts } from "../spec.ts";

interface Options {
  node: string;
  kind: Extract<RuntimeKind, "runc" | "crun">;
  /** Folder with a folder for each container: `/run/runc`. */
  root: string;
}

const fileLimit = 4 * 1024 * 1024;

/** The state file of each runtime, as far as it is read. */
const runcState = z.object({
  id: z.string(),
  init_process_pid: z.number(),
  created: z.string(),
  config: z.object({ rootfs: z.string(), labels: z.array(z.string()).nullish() }),
});
const crunState = z.object({
  pid: z.number(),
  created: z.string().nullish(),
  bundle: z.string(),
  rootfs: z.string().nullish(),
});

/** What both states say. */
interface State {
  id: string;
  pid: number;
  created: number | null;
  rootfs: string | null;
  bundle: string | undefined;
}

/**
 * Containers of runc or crun that nothing above them tells of: from the state that the runtime keeps below `/run`, and
 * the `config.json` of the bundle. There are no events, so the folder is watched, and looked through every second.
 */
export function ociStateSource({ node, kind, root }: Options): RuntimeSource {
  async function list(): Promise<Container[]> {
    const found = await Promise.all((await folders(root)).map(async (id) => read(id)));
    return found.filter((container) => container !== undefined);
  }

  async function read(id: string): Promise<Container | undefined> {
    const state = await (kind === "runc" ? readRunc(root, id) : readCrun(root, id));
    return state && toContainer(node, kind, state);
  }

  return {
    kind,
    list,
    async watch(changed) {
      const polling = poll(1000, changed);
      const watcher = tryWatch(root, changed);
      return {
        ended: polling.ended,
        async [Symbol.asyncDispose]() {
          watcher?.close();
          await polling[Symbol.asyncDispose]();
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function folders(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") throw new RuntimeError("absent", `${root} is not there`);
    if (code === "EACCES")
      throw new RuntimeError("denied", `${root}: permission denied`, { remedy: "run the agent as root" });
    throw new RuntimeError("failed", `${root} cannot be read`, { cause: error });
  }
}

function tryWatch(root: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watchFolder(root, changed);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

async function readRunc(root: string, id: string): Promise<State | undefined> {
  const state = runcState.safeParse(await readJson(join(root, id, "state.json")));
  if (!state.success) return undefined;
  const { config, init_process_pid: pid, created } = state.data;
  const bundle = config.labels?.find((label) => label.startsWith("bundle="))?.slice("bundle=".length);
  return { id: state.data.id, pid, created: timeOf(created), rootfs: config.rootfs, bundle };
}

async function readCrun(root: string, id: string): Promise<State | undefined> {
  const state = crunState.safeParse(await readJson(join(root, id, "status")));
  if (!state.success) return undefined;
  const { pid, created, bundle, rootfs } = state.data;
  return { id, pid, created: timeOf(created ?? ""), rootfs: rootfs ? resolve(bundle, rootfs) : null, bundle };
}

async function toContainer(node: string, kind: RuntimeKind, state: State): Promise<Container> {
  const facts = state.bundle === undefined ? undefined : specFacts(await readJson(join(state.bundle, "config.json")));
  const alive = state.pid > 0 && (await isAlive(state.pid));
  const annotations = facts?.annotations ?? {};
  return {
    id: state.id,
    node,
    runtime: kind,
    runtimeNamespace: "",
    name: annotations["org.opencontainers.image.title"] ?? state.id,
    image: { name: annotations["org.opencontainers.image.ref.name"] ?? "", digest: null },
    labels: annotations,
    pod: podOf(annotations),
    state: alive ? "running" : "stopped",
    startedAt: state.created,
    finishedAt: null,
    pid: alive ? state.pid : null,
    rootfs: state.rootfs,
    mounts: facts?.mounts ?? [],
    capabilities: facts?.capabilities ?? [],
    privileged: facts?.privileged ?? false,
    hostNamespaces: facts?.hostNamespaces ?? [],
  };
}

async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const state = text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
  return state !== "" && state !== "Z" && state !== "X";
}

/** Undefined for what is not there, too large, or no JSON: a container that is being made or removed right now. */
async function readJson(path: string): Promise<unknown> {
  try {
    if ((await stat(path)).size > fileLimit) return undefined;
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

function timeOf(text: string): number | null {
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
