import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Container } from "@bulwark/model";
import { z } from "zod";
import { explain, RuntimeError } from "../error.ts";
import { readJson, readText } from "../json-file.ts";
import { poll } from "../poll.ts";
import { processFacts } from "../process.ts";
import type { RuntimeSource } from "../registry.ts";
import { podOf, specFacts } from "../spec.ts";
import { mapLimited } from "../wait.ts";

const fileLimit = 64 * 1024 * 1024;

/** `<driver>-containers/containers.json` of github.com/containers/storage. */
const stored = z.array(
  z.object({
    id: z.string().regex(/^[0-9a-f]{64}$/),
    names: z.array(z.string()).nullish(),
    image: z.string().nullish(),
    metadata: z.string().nullish(),
  }),
);
type Stored = z.infer<typeof stored>[number];

/** What Podman (libpod/storage.go) and CRI-O keep beside it; only CRI-O's names a pod. */
const metadata = z.object({
  "image-name": z.string().nullish(),
  name: z.string().nullish(),
  "pod-name": z.string().nullish(),
});

/** What Podman keeps on disk of its containers. Labels are not among it. */
export function storageSource(node: string, storage: string): RuntimeSource {
  return {
    async list() {
      const lists = await listFiles(storage);
      const found = await Promise.all(lists.map(async (folder) => listFolder(node, folder)));
      return found.flat();
    },
    watch: async (changed) => poll(1000, changed),
    async [Symbol.asyncDispose]() {},
  };
}

/** A folder for each storage driver in use: `overlay-containers`, `vfs-containers`. */
async function listFiles(storage: string): Promise<string[]> {
  try {
    return (await readdir(storage)).filter((name) => name.endsWith("-containers")).map((name) => join(storage, name));
  } catch (error) {
    throw explain(storage, error);
  }
}

async function listFolder(node: string, folder: string): Promise<Container[]> {
  const path = join(folder, "containers.json");
  const text = await readText(path, fileLimit);
  if (text === undefined) return [];
  const parsed = stored.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new RuntimeError("failed", `${path} is not what the library containers/storage writes`, {
      remedy: "see whether Podman itself can list its containers",
    });
  }
  const found = await mapLimited(parsed.data, 8, async (entry) => toContainer(node, folder, entry));
  return found.filter((container) => container !== undefined);
}

/** Only a container that runs: everything else in the storage is stopped, or a working container of Buildah. */
async function toContainer(
  node: string,
  folder: string,
  { id, names, image, metadata: text }: Stored,
): Promise<Container | undefined> {
  const told = metadata.safeParse(parseJson(text ?? ""));
  if (!told.success || told.data["pod-name"]) return undefined;
  const facts = specFacts(await readJson(join(folder, id, "userdata/config.json")));
  if (!facts) return undefined;
  const pid = await pidOf(folder, id, facts.mounts);
  if (pid === undefined) return undefined;
  return {
    id,
    node,
    runtime: "podman",
    runtimeNamespace: "",
    name: told.data.name ?? names?.[0] ?? id,
    image: { name: told.data["image-name"] ?? "", digest: image ? `sha256:${image}` : null },
    labels: facts.annotations,
    pod: podOf(facts.annotations),
    state: "running",
    startedAt: null,
    finishedAt: null,
    pid,
    rootfs: facts.rootfs,
    mounts: facts.mounts,
    capabilities: facts.capabilities,
    privileged: facts.privileged,
    hostNamespaces: facts.hostNamespaces,
  };
}

/** conmon writes the first process's id below the run root, from where Podman also mounts files such as `/etc/hosts`. */
async function pidOf(folder: string, id: string, mounts: Container["mounts"]): Promise<number | undefined> {
  const ending = `/${id}/userdata/`;
  const mounted = mounts.map(({ source }) => source).find((source) => source.includes(ending));
  const userdata = mounted
    ? mounted.slice(0, mounted.indexOf(ending) + ending.length)
    : join("/run/containers/storage", basename(folder), id, "userdata");
  const file = join(userdata, "pidfile");
  const pid = Number(await readText(file, 64));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  // A process that began after the file was written only has the same number.
  const [facts, { mtimeMs }] = await Promise.all([processFacts(pid), stat(file).catch(() => ({ mtimeMs: 0 }))]);
  return facts && facts.startedAt <= mtimeMs + 2000 ? pid : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
