import { createReadStream, statSync } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorText, systemCode } from "@bulwark/model/plain";
import { chooseManifest, parseIndex, type ContentStore, type Platform } from "./content.ts";
import { parseConfig } from "./config.ts";
import { ImageError } from "./error.ts";
import { readPlace } from "./file-place.ts";
import type { FilePlace, FileTree } from "./image.ts";
import { cleanPath, layeredTree, openFromStore } from "./layers.ts";
import { list, object, optional, read, text } from "./shape.ts";

const documentLimit = 16 * 1024 * 1024;
const entriesLimit = 100_000;

export interface ArchiveOptions {
  platform?: Platform | undefined;
}

/** An OCI layout in a folder. */
export async function openLayout(folder: string, options: ArchiveOptions = {}): Promise<FileTree> {
  const text = await readFile(join(folder, "index.json"), "utf8").catch((error: unknown) => {
    throw new ImageError("not-an-image", `${folder} has no index.json: ${errorText(error)}`, { cause: error });
  });
  return fromIndex(text, folder, blobsIn(folder), options);
}

/** Blobs as files below `blobs`: of an OCI layout, and of containerd's content store. */
export function blobsIn(folder: string): ContentStore {
  const pathOf = (digest: string): string => join(folder, "blobs", ...digest.split(":"));
  return {
    async readBlob(digest) {
      await stat(pathOf(digest)).catch(() => missing(digest));
      return createReadStream(pathOf(digest), { highWaterMark: 1024 * 1024 });
    },
    placeOf(digest) {
      const path = pathOf(digest);
      const length = statSync(path, { throwIfNoEntry: false })?.size;
      return length === undefined ? null : { path, start: 0, length };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** A tar archive of an OCI layout, or of `docker save` in its old and new form. */
export async function openArchive(path: string, options: ArchiveOptions = {}): Promise<FileTree> {
  const members = await listMembers(path);
  const readMember = async (name: string): Promise<AsyncIterable<Uint8Array>> => {
    const member = members.get(name);
    if (!member) throw new ImageError("broken", `${path}: ${name} is not in it`);
    return readPlace({ path, start: member.start, length: member.size });
  };
  const placeOf = (name: string): FilePlace | null => {
    const member = members.get(name);
    return member ? { path, start: member.start, length: member.size } : null;
  };
  const textOf = async (name: string): Promise<string> => {
    if ((members.get(name)?.size ?? 0) > documentLimit)
      throw new ImageError("too-large", `${path}: ${name} is too large`);
    const parts: Uint8Array[] = [];
    for await (const part of await readMember(name)) parts.push(part);
    return Buffer.concat(parts).toString("utf8");
  };

  if (members.has("/index.json") && members.has("/oci-layout")) {
    const store: ContentStore = {
      readBlob: async (digest) => (members.has(blobPath(digest)) ? readMember(blobPath(digest)) : missing(digest)),
      placeOf: (digest) => placeOf(blobPath(digest)),
      async [Symbol.asyncDispose]() {},
    };
    return fromIndex(await textOf("/index.json"), path, store, options);
  }
  if (members.has("/manifest.json"))
    return fromSaved(path, await textOf("/manifest.json"), { readMember, placeOf, textOf });
  throw new ImageError(
    "not-an-image",
    `${path} is a tar archive, but of no image: it has neither index.json nor manifest.json`,
  );
}

async function fromIndex(
  document: string,
  name: string,
  store: ContentStore,
  { platform }: ArchiveOptions,
): Promise<FileTree> {
  const manifests = parseIndex(parseJson(document, name));
  if (!manifests) throw new ImageError("broken", `${name}: index.json is no OCI index`);
  const { digest, annotations } = chooseManifest(manifests, platform);
  return openFromStore(store, { name: annotations?.["io.containerd.image.name"] ?? name, digest, platform });
}

interface Members {
  readMember: (name: string) => Promise<AsyncIterable<Uint8Array>>;
  placeOf: (name: string) => FilePlace | null;
  textOf: (name: string) => Promise<string>;
}

/** The form of `docker save` names its layers by path; the configuration has their digests, unpacked. */
async function fromSaved(path: string, document: string, { readMember, placeOf, textOf }: Members): Promise<FileTree> {
  const first = parseSaved(parseJson(document, path))?.[0];
  if (!first) throw new ImageError("broken", `${path}: manifest.json lists no image`);
  const parsedConfig = parseConfig(parseJson(await textOf(cleanPath(first.config) ?? ""), path));
  if (parsedConfig?.diffIds.length !== first.layers.length) {
    throw new ImageError("broken", `${path}: its configuration and its layers do not fit together`);
  }
  const layers = first.layers.map((name, index) => ({
    digest: parsedConfig.diffIds[index] ?? "",
    digestOf: "unpacked" as const,
    size: null,
    read: async () => readMember(cleanPath(name) ?? ""),
    place: placeOf(cleanPath(name) ?? ""),
  }));
  return layeredTree({ name: first.names[0] ?? path, digest: null, layers, config: parsedConfig.config });
}

/** `manifest.json` of `docker save`: each image with the paths of its parts. */
function parseSaved(value: unknown): { config: string; names: string[]; layers: string[] }[] | undefined {
  const image = (item: unknown): { config: string; names: string[]; layers: string[] } => {
    const { Config: config, RepoTags: tags, Layers: layers } = object(item);
    return { config: text(config), names: optional(list(1000, text))(tags) ?? [], layers: list(1000, text)(layers) };
  };
  return read(value, list(1000, image));
}

interface Member {
  start: number;
  size: number;
}

/** Where each file of the archive begins, by reading nothing but headers. Links are followed by name. */
async function listMembers(path: string): Promise<Map<string, Member>> {
  const file = await open(path).catch((error: unknown) => {
    const code = systemCode(error) === "EACCES" ? "denied" : "not-found";
    throw new ImageError(code, `${path}: ${errorText(error)}`, {
      remedy: "name a file that can be read",
      cause: error,
    });
  });
  try {
    const members = new Map<string, Member>();
    const links = new Map<string, string>();
    const size = (await file.stat()).size;
    const header = Buffer.alloc(512);
    let longName = "";
    for (let at = 0; at + 512 <= size;) {
      await file.read(header, 0, 512, at);
      if (header.every((byte) => byte === 0)) break;
      if (header.toString("latin1", 257, 262) !== "ustar" || members.size > entriesLimit) {
        throw new ImageError("not-an-image", `${path} is no tar archive of an image`);
      }
      const length = Number.parseInt(header.toString("latin1", 124, 136).replaceAll("\0", "").trim() || "0", 8);
      const flag = String.fromCharCode(header[156] ?? 0);
      const start = at + 512;
      at = start + Math.ceil(length / 512) * 512;
      if (!Number.isSafeInteger(length) || start + length > size) throw new ImageError("broken", `${path} is cut off`);
      if (flag === "x" || flag === "L") {
        const extra = Buffer.alloc(Math.min(length, 65_536));
        await file.read(extra, 0, extra.length, start);
        longName =
          flag === "L"
            ? extra.toString("utf8").replace(/\0.*$/s, "")
            : (/\d+ path=([^\n]*)\n/.exec(extra.toString("utf8"))?.[1] ?? "");
        continue;
      }
      const name = cleanPath(longName || field(header, 345, 155, "/") + field(header, 0, 100, ""));
      longName = "";
      if (name === undefined) continue;
      if (flag === "0" || flag === "\0") members.set(name, { start, size: length });
      if (flag === "1" || flag === "2") links.set(name, field(header, 157, 100, ""));
    }
    for (const [name, target] of links) {
      const absolute = cleanPath(target) ?? "";
      const beside = cleanPath(normalise(`${name.slice(0, name.lastIndexOf("/"))}/${target}`)) ?? "";
      const member = members.get(beside) ?? members.get(absolute);
      if (member && !members.has(name)) members.set(name, member);
    }
    return members;
  } finally {
    await file.close();
  }
}

function field(header: Buffer, at: number, length: number, suffix: string): string {
  const text = header.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  return text === "" ? "" : text + suffix;
}

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function blobPath(digest: string): string {
  return `/blobs/${digest.replace(":", "/")}`;
}

function missing(digest: string): never {
  throw new ImageError("broken", `the blob ${digest} is not there`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ImageError("broken", `${name}: a document in it is no JSON`, { cause: error });
  }
}
