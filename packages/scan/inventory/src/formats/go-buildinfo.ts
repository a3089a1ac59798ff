import { FormatError, slice } from "./bytes.ts";
import type { Elf } from "./elf.ts";

/** What the Go linker writes into a program. https://pkg.go.dev/runtime/debug#BuildInfo */
export interface GoBuildInfo {
  /** `go1.22.1` */
  goVersion: string;
  /** The path of the main package. */
  path: string;
  main: GoModule | undefined;
  dependencies: GoModule[];
  settings: Map<string, string>;
}

export interface GoModule {
  path: string;
  version: string;
  replacedBy?: GoModule;
}

const magic = Buffer.from("\xff Go buildinf:", "latin1");
const textLimit = 16 * 1024 * 1024;

/**
 * By the reader of Go itself, https://go.dev/src/debug/buildinfo/buildinfo.go: the section `.go.buildinfo`, or where names
 * of sections are stripped, the magic in the initialised data. Undefined where it is no program of Go.
 */
export function readGoBuildInfo(elf: Elf): GoBuildInfo | undefined {
  const header = findHeader(elf);
  if (!header) return undefined;
  const flags = header[15] ?? 0;
  const [goVersion, modules] = (flags & 2) !== 0 ? inlineTexts(header) : pointedTexts(elf, header);
  if (goVersion === undefined || !/^(?:go|devel)/.test(goVersion)) return undefined;
  return { goVersion, ...parseModules(withoutSentinels(modules ?? Buffer.alloc(0))) };
}

function findHeader(elf: Elf): Buffer | undefined {
  const section = elf.section(".go.buildinfo");
  for (const data of section ? [section] : elf.dataSegments()) {
    for (let at = data.indexOf(magic); at >= 0; at = data.indexOf(magic, at + 1)) {
      if (at % 16 === 0 && at + 32 <= data.length) return data.subarray(at);
    }
  }
  return undefined;
}

/** Since Go 1.18: two texts behind the header, each after its length. */
function inlineTexts(header: Buffer): [string | undefined, Buffer | undefined] {
  const version = lengthAndBytes(header, 32);
  const modules = lengthAndBytes(header, version.next);
  return [version.bytes.toString("utf8"), modules.bytes];
}

function lengthAndBytes(data: Buffer, start: number): { bytes: Buffer; next: number } {
  let length = 0;
  for (let at = start, shift = 1; at < start + 4; at++, shift *= 128) {
    const byte = data[at] ?? 0;
    length += (byte & 0x7f) * shift;
    if (byte < 0x80) return { bytes: slice(data, at + 1, length, "Go build information"), next: at + 1 + length };
  }
  throw new FormatError("Go build information of an impossible length");
}

/** Before Go 1.18: addresses of two strings, each an address and a length. */
function pointedTexts(elf: Elf, header: Buffer): [string | undefined, Buffer | undefined] {
  const size = header[14] ?? 8;
  if (size !== 4 && size !== 8) throw new FormatError(`Go build information with pointers of ${size} bytes`);
  const big = ((header[15] ?? 0) & 1) !== 0;
  const pointer = (data: Buffer, at: number): bigint => {
    if (size === 4) return BigInt(big ? data.readUInt32BE(at) : data.readUInt32LE(at));
    return big ? data.readBigUInt64BE(at) : data.readBigUInt64LE(at);
  };
  const stringAt = (address: bigint): Buffer | undefined => {
    const head = elf.at(address, size * 2);
    if (!head || head.length < size * 2) return undefined;
    const length = pointer(head, size);
    return length > BigInt(textLimit) ? undefined : elf.at(pointer(head, 0), Number(length));
  };
  return [stringAt(pointer(header, 16))?.toString("utf8"), stringAt(pointer(header, 16 + size))];
}

/** Sixteen bytes before and behind mark it for tools that search a file. */
function withoutSentinels(data: Buffer): string {
  const marked = data.length >= 33 && data[data.length - 17] === 0x0a;
  return (marked ? data.subarray(16, data.length - 16) : data).toString("utf8");
}

function parseModules(text: string): Omit<GoBuildInfo, "goVersion"> {
  const found = { path: "", dependencies: [] as GoModule[], settings: new Map<string, string>() };
  let main: GoModule | undefined;
  let last: GoModule | undefined;
  for (const line of text.split("\n")) {
    const [kind, path = "", version = ""] = line.split("\t");
    if (kind === "path") found.path = path;
    else if (kind === "mod") last = main = { path, version };
    else if (kind === "dep") found.dependencies.push((last = { path, version }));
    else if (kind === "=>" && last) last.replacedBy = { path, version };
    else if (kind === "build") {
      const equals = path.indexOf("=");
      if (equals > 0) found.settings.set(path.slice(0, equals), unquote(path.slice(equals + 1)));
    }
  }
  return { ...found, main };
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
