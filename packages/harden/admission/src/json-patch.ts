import { isRecord } from "@bulwark/manifests";
import type { Json } from "./request.ts";

/** One operation of RFC 6902. */
export interface Operation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** Raised where an operation has no place to be done at. */
class PatchError extends Error {}

const kinds = ["add", "remove", "replace", "move", "copy", "test"] as const;

/** Operations from a foreign value. Raises `PatchError`. */
export function readPatch(value: unknown): Operation[] {
  if (!Array.isArray(value)) throw new PatchError("a JSON patch is a list");
  return value.map((item: unknown): Operation => {
    if (!isRecord(item)) throw new PatchError("an operation is an object");
    const op = kinds.find((kind) => kind === item["op"]);
    if (!op || typeof item["path"] !== "string") throw new PatchError("an operation has op and path");
    const from = item["from"];
    return { op, path: item["path"], ...(typeof from === "string" && { from }), value: item["value"] ?? null };
  });
}

/** The document with the operations done, in order; the given one stays as it is. Raises `PatchError`. */
export function applyPatch(document: Json, operations: readonly Operation[]): Json {
  const holder: { root: unknown } = { root: structuredClone(document) };
  for (const { op, path, from, value } of operations) {
    if (op === "test") {
      if (!same(read(holder.root, path), value)) throw new PatchError(`test: ${path} is another value`);
    } else if (op === "remove") remove(holder, path);
    else if (op === "replace") {
      read(holder.root, path);
      put(holder, path, structuredClone(value), true);
    } else if (op === "add") put(holder, path, structuredClone(value), false);
    else {
      const moved = structuredClone(read(holder.root, from ?? ""));
      if (op === "move") remove(holder, from ?? "");
      put(holder, path, moved, false);
    }
  }
  if (!isRecord(holder.root)) throw new PatchError("the patch leaves no object");
  return holder.root;
}

/** Parts of a JSON pointer (RFC 6901). */
function partsOf(path: string): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw new PatchError(`${path}: a path begins with /`);
  return path
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function read(root: unknown, path: string): unknown {
  let at = root;
  for (const part of partsOf(path)) {
    if (Array.isArray(at) && indexOf(part, at.length) < at.length) at = at[indexOf(part, at.length)];
    else if (isRecord(at) && Object.hasOwn(at, part)) at = at[part];
    else throw new PatchError(`${path}: is not there`);
  }
  return at;
}

function indexOf(part: string, length: number): number {
  if (part === "-") return length;
  const index = /^(?:0|[1-9]\d{0,8})$/.test(part) ? Number(part) : -1;
  if (index < 0 || index > length) throw new PatchError(`${part}: no place in a list of ${length}`);
  return index;
}

function put(holder: { root: unknown }, path: string, value: unknown, over: boolean): void {
  const parts = partsOf(path);
  const last = parts.pop();
  if (last === undefined) {
    holder.root = value;
    return;
  }
  const parent = read(holder.root, pointer(parts));
  if (Array.isArray(parent)) parent.splice(indexOf(last, parent.length), over ? 1 : 0, value);
  else if (isRecord(parent))
    Object.defineProperty(parent, last, { value, enumerable: true, writable: true, configurable: true });
  else throw new PatchError(`${path}: its parent is neither object nor list`);
}

function remove(holder: { root: unknown }, path: string): void {
  read(holder.root, path);
  const parts = partsOf(path);
  const last = parts.pop();
  if (last === undefined) throw new PatchError("the whole object cannot be removed");
  const parent = read(holder.root, pointer(parts));
  if (Array.isArray(parent)) parent.splice(indexOf(last, parent.length), 1);
  else if (isRecord(parent)) delete parent[last];
}

function pointer(parts: readonly string[]): string {
  return parts.map((part) => `/${escapePart(part)}`).join("");
}

function escapePart(part: string): string {
  return part.replaceAll("~", "~0").replaceAll("/", "~1");
}

export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** The operations that make `after` of `before`; lists of other lengths are replaced from the first difference on. */
export function diffPatch(before: unknown, after: unknown, path = ""): Operation[] {
  if (same(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
    return [
      ...gone.map((key): Operation => ({ op: "remove", path: `${path}/${escapePart(key)}` })),
      ...Object.entries(after).flatMap(([key, value]): Operation[] => {
        const at = `${path}/${escapePart(key)}`;
        return Object.hasOwn(before, key) ? diffPatch(before[key], value, at) : [{ op: "add", path: at, value }];
      }),
    ];
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const common = Math.min(before.length, after.length);
    const inside = after.slice(0, common).flatMap((item, index) => diffPatch(before[index], item, `${path}/${index}`));
    const more = after.slice(common).map((value: unknown): Operation => ({ op: "add", path: `${path}/-`, value }));
    const fewer = before
      .slice(common)
      .map((_, index): Operation => ({ op: "remove", path: `${path}/${before.length - 1 - index}` }));
    return [...inside, ...more, ...fewer];
  }
  return [{ op: "replace", path, value: after }];
}
