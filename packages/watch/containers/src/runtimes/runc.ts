import { watch as watchFolder, type FSWatcher } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Container, RuntimeKind } from "@bulwark/model";
import { Caught, factsAtStart } from "../caught.ts";
import { pathsOfFolders } from "../cgroups.ts";
import { explain } from "../error.ts";
import { readJson, readJsonNow, readText } from "../json-file.ts";
import { poll } from "../poll.ts";
import { processStat } from "../process.ts";
import type { Runtime, RuntimeSource } from "../registry.ts";
import { dictionary, list, maybe, number, object, text } from "../shape.ts";
import { isSandbox, podOf, specFacts } from "../spec.ts";
import { mapLimited } from "../wait.ts";

/** runc, from `state.json` in its state folder. Folders of containerd's shims are not among the defaults: containerd tells better. */
export const runc: Runtime = {
  kind: "runc",
  paths: ["/run/runc", "/run/user/*/runc"],
  open: async (root, node) => stateSource({ node, kind: "runc", root, parse: runcStateOf }),
};

/** crun, from `status` in its state folder. */
export const crun: Runtime = {
  kind: "crun",
  paths: ["/run/crun", "/run/user/*/crun"],
  open: async (root, node) => stateSource({ node, kind: "crun", root, parse: crunStateOf }),
};

interface Options {
  node: string;
  kind: Extract<RuntimeKind, "runc" | "crun">;
  /** Folder with a folder for each container: `/run/runc`. */
  root: string;
  parse(data: unknown, id: string): State | undefined;
}

/** What the states of both say. */
interface State {
  id: string;
  pid: number;
  /** Of the first process, in clock ticks since boot; 0 where the runtime did not keep it. */
  startTicks: number;
  rootfs: string | null;
  bundle: string | undefined;
  /** File that says whether the processes are frozen. */
  freezer: string | undefined;
  /** Folders of its cgroups. */
  cgroups: string[];
}

interface Known {
  /** Which version of the state file this was read from. */
  version: string;
  state: State | undefined;
  container: Container | undefined;
}

/** Milliseconds that a container has to write its state. */
const tryTime = 1000;
const catchingLimit = 100;

/**
 * Containers that nothing above runc tells of: from the state that it keeps below `/run`, and the `config.json` of the
 * bundle. There are no events, so the folder is watched, and looked through every second for what a folder does not tell.
 * A container may be over, and its state gone, before the next look: of each that comes the state is read at once.
 */
function stateSource({ node, kind, root, parse }: Options): RuntimeSource {
  const known = new Map<string, Known>();
  const caught = new Caught();
  /** Ends the try. */
  const catching = new Map<string, () => void>();
  const stateFile = kind === "runc" ? "state.json" : "status";

  async function look(id: string): Promise<Container | undefined> {
    const version = await versionOf(join(root, id, stateFile));
    if (version === undefined) return undefined;
    let entry = known.get(id);
    if (entry?.version !== version) {
      const state = parse(await readJson(join(root, id, stateFile)), id);
      entry = { version, state, container: state && (await toContainer(node, kind, state)) };
      known.set(id, entry);
    }
    if (!entry.state || !entry.container || !(await isAlive(entry.state))) return undefined;
    const now = await stateOf(join(root, id), entry.state);
    if (now !== entry.container.state) entry.container = { ...entry.container, state: now };
    return entry.container;
  }

  /** The state is written while the first process waits to be let go, and stays until its cgroups are removed. */
  function catchUp(id: string): void {
    if (catching.has(id) || catching.size >= catchingLimit) return;
    const attempt = (): void => {
      const state = parse(readJsonNow(join(root, id, stateFile)), id);
      if (!state || state.pid <= 0) return;
      end();
      // What cannot be had now is had by a look, as that of the others is.
      void keep(state).catch(() => undefined);
    };
    const watcher = tryWatch(join(root, id), attempt);
    const timer = setTimeout(() => end(), tryTime).unref();
    const end = (): void => {
      watcher?.close();
      clearTimeout(timer);
      catching.delete(id);
    };
    catching.set(id, end);
    attempt();
  }
  async function keep(state: State): Promise<void> {
    const facts = await factsAtStart(state, async () => pathsOfFolders(state.cgroups));
    const container = facts && (await toContainer(node, kind, state));
    if (container) caught.keep(container, facts);
  }

  return {
    async list() {
      const ids = await folders(root);
      for (const id of known.keys()) if (!ids.includes(id)) known.delete(id);
      const found = (await mapLimited(ids, 8, look)).filter((container) => container !== undefined);
      return [...found, ...caught.over(found)];
    },
    factsOf: (container) => caught.factsOf(container),
    async watch(changed) {
      const polling = poll(1000, changed);
      const watcher = tryWatch(root, (id) => {
        if (id !== null) catchUp(id);
        changed();
      });
      return {
        ended: polling.ended,
        async [Symbol.asyncDispose]() {
          watcher?.close();
          for (const end of catching.values()) end();
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
    throw explain(root, error);
  }
}

/** Without it (no more watches to be had), polling alone keeps the promise of two seconds. */
function tryWatch(root: string, changed: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watchFolder(root, (_, name) => changed(name));
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

async function versionOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found && `${found.ino}/${found.size}/${found.mtimeMs}`;
}

/** github.com/opencontainers/runc, libcontainer/container_linux.go, `State`. */
const runcState = object({
  id: text,
  init_process_pid: number,
  init_process_start: maybe(number),
  cgroup_paths: maybe(dictionary(text)),
  config: object({ rootfs: text, labels: maybe(list(text)) }),
});

function runcStateOf(data: unknown): State | undefined {
  if (!runcState(data)) return undefined;
  const { config, cgroup_paths: cgroups } = data;
  const [v1, v2] = [cgroups?.["freezer"], cgroups?.[""]];
  return {
    id: data.id,
    pid: data.init_process_pid,
    startTicks: data.init_process_start ?? 0,
    rootfs: config.rootfs,
    bundle: config.labels?.find((label) => label.startsWith("bundle="))?.slice("bundle=".length),
    freezer: v1 ? join(v1, "freezer.state") : v2 ? join(v2, "cgroup.freeze") : undefined,
    cgroups: Object.values(cgroups ?? {}),
  };
}

/** github.com/containers/crun, src/libcrun/status.c. The file does not say the id: its folder does. */
const crunState = object({
  pid: number,
  "process-start-time": maybe(number),
  bundle: text,
  rootfs: maybe(text),
  "cgroup-path": maybe(text),
});

function crunStateOf(data: unknown, id: string): State | undefined {
  if (!crunState(data)) return undefined;
  const { pid, bundle, rootfs, "cgroup-path": cgroup } = data;
  return {
    id,
    pid,
    startTicks: data["process-start-time"] ?? 0,
    rootfs: rootfs ? resolve(bundle, rootfs) : null,
    bundle,
    freezer: cgroup ? join("/sys/fs/cgroup", cgroup, "cgroup.freeze") : undefined,
    cgroups: cgroup ? [join("/sys/fs/cgroup", cgroup)] : [],
  };
}

/** Where containerd's shim has its bundles: `…/io.containerd.runtime.v2.task/<namespace>/<id>`. */
const shimBundle = /\/io\.containerd\.runtime\.v\d+\.[a-z]+\/([^/]+)\/[^/]+\/?$/;

async function toContainer(node: string, kind: RuntimeKind, state: State): Promise<Container | undefined> {
  const facts = state.bundle === undefined ? undefined : specFacts(await readJson(join(state.bundle, "config.json")));
  const annotations = facts?.annotations ?? {};
  if (isSandbox(annotations)) return undefined;
  return {
    id: state.id,
    node,
    runtime: kind,
    runtimeNamespace: shimBundle.exec(state.bundle ?? "")?.[1] ?? "",
    name: annotations["org.opencontainers.image.title"] ?? state.id,
    image: { name: annotations["org.opencontainers.image.ref.name"] ?? "", digest: null },
    labels: annotations,
    pod: podOf(annotations),
    state: "running",
    startedAt: null,
    finishedAt: null,
    pid: state.pid,
    rootfs: state.rootfs,
    mounts: facts?.mounts ?? [],
    capabilities: facts?.capabilities ?? [],
    privileged: facts?.privileged ?? false,
    hostNamespaces: facts?.hostNamespaces ?? [],
  };
}

/** The state outlives the container until somebody deletes it, and the process id may be another's by then. */
async function isAlive({ pid, startTicks }: State): Promise<boolean> {
  const found = pid > 0 ? await processStat(pid) : undefined;
  return found !== undefined && (startTicks === 0 || found.startTicks === startTicks);
}

/** `exec.fifo` is there from `create` until `start`. */
async function stateOf(folder: string, { freezer }: State): Promise<Container["state"]> {
  const created = await access(join(folder, "exec.fifo")).then(
    () => true,
    () => false,
  );
  if (created) return "created";
  const frozen = freezer === undefined ? undefined : await readText(freezer, 4096);
  return frozen?.trim() === "FROZEN" || frozen?.trim() === "1" ? "paused" : "running";
}
