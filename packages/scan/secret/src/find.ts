import { entropy } from "./entropy.ts";
import type { Kind, Kinds } from "./kinds.ts";
import { fingerprint, mask } from "./mask.ts";
import { validators } from "./validators/index.ts";

/** Candidates of one file that are looked at; about a second of work. */
const candidateLimit = 200_000;
/** Credentials of one file that are told. */
const foundLimit = 500;
/** Lines longer than this were made by a machine. */
const longLine = 2000;

/** A credential, masked: nothing of the rest leaves this package. */
export interface FoundSecret {
  kind: string;
  /** 1 is the first; null in a binary. */
  line: number | null;
  masked: string;
  fingerprint: string;
}

export interface Found {
  secrets: FoundSecret[];
  /** Credentials that a comment on their line, or the line before, excepts: `bulwark:allow`. */
  allowed: number;
  /** There was more than is looked at in one file. */
  cut: boolean;
}

interface Hit {
  kind: Kind;
  start: number;
  end: number;
  text: string;
  /** Length of the anchor: the longer, the more is known of it. */
  known: number;
}

/**
 * The credentials in bytes. One pass finds the anchors of all kinds; around each, a bounded window is matched by an
 * engine without backtracking, so that the time is proportional to the length, whatever the bytes are.
 */
export function findSecrets(kinds: Kinds, content: Buffer, path: string): Found {
  const text = decode(content);
  const binary = isBinary(text);
  if (binary && !kinds.places.wantsBinary(path)) return { secrets: [], allowed: 0, cut: false };
  const { hits, cut } = findHits(kinds, text, path, binary);
  const { secrets, allowed } = tell(text, hits, binary);
  return { secrets: secrets.slice(0, foundLimit), allowed, cut: cut || secrets.length > foundLimit };
}

/** A text with every credential in it masked: a build step, before it is shown or kept. */
export function maskSecrets(kinds: Kinds, text: string): string {
  const bytes = Buffer.from(text);
  let [masked, from] = ["", 0];
  for (const { start, end, text: credential } of findHits(kinds, bytes, "/text", false).hits) {
    masked += bytes.toString("utf8", from, start) + mask(credential);
    from = end;
  }
  return masked + bytes.toString("utf8", from);
}

/** In the order of their places, without overlaps: of those that do, the surest. */
function findHits(kinds: Kinds, text: Buffer, path: string, binary: boolean): { hits: Hit[]; cut: boolean } {
  const place = kinds.places.of(path);
  const { anchors, candidates: known } = binary || place.documentation || place.vendored ? kinds.certain : kinds.search;
  const hits: Hit[] = [];
  let candidates = 0;
  let cut = false;
  /** By kind: where the last credential ended. What begins before that is a part of it. */
  const ends = new Map<Kind, number>();
  const look = (anchor: number, start: number): boolean => {
    const candidate = known[anchor];
    if (!candidate) return true;
    const { literal } = candidate;
    const exact = literal.compare(text, start, start + literal.length) === 0;
    for (const kind of candidate.kinds) {
      if (!exact && !kind.fold) continue;
      if (start < (ends.get(kind) ?? 0) || !isLookedFor(kind, path)) continue;
      if (kind.assigned !== undefined && !hasSign(text, start + literal.length)) continue;
      cut ||= ++candidates > candidateLimit;
      if (cut) return false;
      const hit = match(kinds, kind, text, start, binary, literal.length);
      if (!hit) continue;
      hits.push(hit);
      ends.set(kind, hit.end);
    }
    return true;
  };
  if (!binary) anchors.scan(text, 0, text.length, look);
  else for (const [from, to] of textRuns(text)) if (!anchors.scan(text, from, to, look)) break;
  return { hits: withoutOverlaps(hits), cut };
}

/** UTF-16 with a mark is read as Latin-1 of its lower bytes: credentials are ASCII. */
function decode(content: Buffer): Buffer {
  const mark = content.length >= 2 ? content.readUInt16BE(0) : 0;
  if (mark !== 0xfffe && mark !== 0xfeff) return content;
  const text = Buffer.alloc((content.length - 2) >> 1);
  for (let at = 0; at < text.length; at++) text[at] = content[2 + at * 2 + (mark === 0xfeff ? 1 : 0)] ?? 0;
  return text;
}

/** The shortest credential of a form that is looked for in executables. */
const runLength = 16;

/** Stretches of printable bytes in a binary. What cannot be one is passed over by looking at every sixteenth byte. */
function* textRuns(content: Buffer): Generator<[from: number, to: number]> {
  let from = 0;
  while (from + runLength <= content.length) {
    let at = from + runLength - 1;
    while (at >= from && isPrintable(content[at])) at--;
    if (at >= from) from = at + 1;
    else {
      let to = from + runLength;
      while (to < content.length && isPrintable(content[to])) to++;
      yield [from, to];
      from = to + 1;
    }
  }
}

function isPrintable(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte < 0x7f;
}

/** As git tells: a zero byte in the first 8,000. */
export function isBinary(content: Buffer): boolean {
  return content.subarray(0, 8000).includes(0);
}

function isLookedFor({ files }: Kind, path: string): boolean {
  return files.length === 0 || files.some((file) => path.endsWith(file));
}

/** Whether a sign of assignment is near: most names are not assigned to. */
function hasSign(text: Buffer, from: number): boolean {
  const end = Math.min(text.length, from + 56);
  for (let at = from; at < end; at++) {
    const byte = text[at];
    if (byte === 0x3d || byte === 0x3a || byte === 0x2c || byte === 0x3e) return true;
    if (byte === 0x0a) return false;
  }
  return false;
}

function match(
  kinds: Kinds,
  kind: Kind,
  text: Buffer,
  anchor: number,
  binary: boolean,
  known: number,
): Hit | undefined {
  const from = Math.max(0, anchor - kind.before);
  if (kind.boundary && kind.before === 0 && isWord(text[anchor - 1])) return undefined;
  const window = text.toString("latin1", from, Math.min(text.length, anchor + kind.after));
  const matcher = kind.expression().matcher(window);
  if (kind.before === 0 ? !matcher.lookingAt() : !matcher.find()) return undefined;
  const group = matcher.groupCount() > 0 && matcher.start(1) >= 0 ? 1 : 0;
  const [start, end] = [from + matcher.start(group), from + matcher.end(group)];
  if (kind.boundary && (isWord(text[start - 1]) || isWord(text[end]))) return undefined;
  const credential = matcher.group(group) ?? "";
  if (entropy(credential) < kind.entropy) return undefined;
  if (!kind.validators.every((name) => validators[name](credential))) return undefined;
  if (isExample(kinds, kind, credential)) return undefined;
  if (kind.strength === "weak" && !binary && isLongLine(text, start)) return undefined;
  return { kind, start, end, text: credential, known };
}

/** A letter, a digit or an underscore. */
function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || byte === 95 || (byte >= 97 && byte <= 122);
}

function isExample(kinds: Kinds, kind: Kind, credential: string): boolean {
  const lower = credential.toLowerCase();
  if (kinds.examples.some((example) => lower.includes(example))) return true;
  return [...kinds.patterns(), ...kind.allowed()].some((pattern) => pattern.matcher(credential).find());
}

function isLongLine(text: Buffer, at: number): boolean {
  const around = text.subarray(Math.max(0, at - longLine), at + longLine);
  return around.length > longLine && !around.includes(0x0a);
}

const strengths = ["certain", "likely", "weak"] as const;

function withoutOverlaps(hits: Hit[]): Hit[] {
  const rank = ({ kind }: Hit): number => strengths.indexOf(kind.strength);
  const sure = hits.toSorted((a, b) => rank(a) - rank(b) || b.known - a.known || a.start - b.start);
  const taken: Hit[] = [];
  for (const hit of sure) if (!overlaps(taken, hit)) taken.splice(position(taken, hit.start), 0, hit);
  return taken;
}

/** Each credential once, at its first line; what a comment excepts is counted. */
function tell(text: Buffer, hits: readonly Hit[], binary: boolean): { secrets: FoundSecret[]; allowed: number } {
  const lines = lineCounter(text);
  const told = new Map<string, FoundSecret>();
  let allowed = 0;
  for (const { kind, start, text: credential } of hits) {
    if (isExcepted(text, start)) {
      allowed++;
      continue;
    }
    const print = fingerprint(kind.id, credential);
    const line = binary ? null : lines(start);
    if (!told.has(print)) told.set(print, { kind: kind.id, line, masked: mask(credential), fingerprint: print });
  }
  return { secrets: [...told.values()], allowed };
}

/** `taken` is in order and without overlaps: a look at the neighbours is enough. */
function overlaps(taken: readonly Hit[], hit: Hit): boolean {
  const index = position(taken, hit.start);
  return (taken[index - 1]?.end ?? 0) > hit.start || (taken[index]?.start ?? Infinity) < hit.end;
}

/** How many begin before. */
function position(taken: readonly Hit[], start: number): number {
  let [low, high] = [0, taken.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((taken[middle]?.start ?? 0) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lines of offsets that only grow. */
function lineCounter(text: Buffer): (offset: number) => number {
  let line = 1;
  let next = text.indexOf(0x0a);
  return (offset) => {
    while (next >= 0 && next < offset) {
      line++;
      next = text.indexOf(0x0a, next + 1);
    }
    return line;
  };
}

const exception = Buffer.from("bulwark:allow");

function isExcepted(text: Buffer, at: number): boolean {
  const before = text.subarray(Math.max(0, at - longLine), at);
  const previous = before.lastIndexOf(0x0a, before.lastIndexOf(0x0a) - 1);
  const after = text.subarray(at, at + longLine);
  const end = after.indexOf(0x0a);
  return (
    before.subarray(previous + 1).includes(exception) ||
    after.subarray(0, end < 0 ? undefined : end).includes(exception)
  );
}
