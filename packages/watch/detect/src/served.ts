import type { Rule } from "@bulwark/rules";
import { askingCalls, tracedCalls, type SensorAsks, type SensorRecord } from "@bulwark/sensor";
import { activityTypes } from "./fields/activity.ts";

type BoundTest = Extract<Rule["condition"], { kind: "test" }>;
type Operand = BoundTest["left"];

/** What rules need of the sensor besides what it tells anyway. */
export interface Needs {
  /** What it has to be asked for, each list sorted. */
  readonly asks: Required<SensorAsks>;
  /** The rules that need calls traced. */
  readonly traced: readonly Rule[];
  /** How many more files they name than can be watched: there are too many, or their paths are too long. */
  readonly leftOut: number;
  /** Rules that wait for what the sensor never tells: they fire on events of other sources alone. */
  readonly unserved: readonly Rule[];
}

/** What tracing costs, for a person. */
export const tracingPrice = "each system call of this machine takes 0.15 to 0.2 µs longer";

/** The sensor watches so many, and takes them as one argument, which may be 128 KiB long. */
const mostPaths = 256;
const longestPath = 400;
/** Of those that are left out, for a person. */
export const leftOutReason = `of the files that rules want to see opened, and of the directories that they want to see changed, at most ${mostPaths} are watched, with paths of at most ${longestPath} bytes`;

/** By the types of event that each may fire on. Rules that are switched off, or are of another source, need nothing. */
export function needsOf(rules: readonly Rule[]): Needs {
  const own = rules.filter(({ isEnabled, source }) => isEnabled && source === "syscall");
  const traced = own.filter((rule) => callsTracedFor(rule).length > 0);
  const unserved = own.filter((rule) => callsTracedFor(rule).length === 0 && isToldOfNothing(rule));
  const others = own.filter((rule) => !isOwn(rule));
  const opened = bounded(others.filter(isOfReads).flatMap((rule) => pathsIn(rule.condition).map(({ path }) => path)));
  const changed = bounded(others.filter(isOfChanges).flatMap((rule) => pathsIn(rule.condition).map(directoryOf)));
  return {
    asks: {
      calls: [...new Set(traced.flatMap(callsTracedFor))].toSorted(),
      opened: opened.paths,
      changed: changed.paths,
      environment: environmentFor(own),
      courses: own.some(({ eventTypes: types }) => types?.some((type) => courseTypes.has(type)) === true),
    },
    traced,
    leftOut: opened.leftOut + changed.leftOut,
    unserved,
  };
}

function bounded(named: readonly string[]): { paths: string[]; leftOut: number } {
  const all = [...new Set(named)];
  const paths = all
    .filter((path) => Buffer.byteLength(path) <= longestPath)
    .toSorted()
    .slice(0, mostPaths);
  return { paths, leftOut: all.length - paths.length };
}

const courseTypes: ReadonlySet<string> = new Set(["established", "closed"]);
const opens: ReadonlySet<string> = new Set(["open", "openat", "openat2"]);
const known = new WeakMap<Rule, readonly string[]>();

/**
 * Calls that are traced for a rule: those that it waits for, where nothing else tells of any. Besides, for rules of others, those
 * that open, where they ask for what the hooks of files cannot tell, and ptrace(2), of which without that only what asks for a
 * right is told; Bulwark's own do with what is told anyway.
 */
function callsTracedFor(rule: Rule): readonly string[] {
  let calls = known.get(rule);
  if (calls === undefined) {
    const types = rule.eventTypes?.filter((type) => tracedCalls.has(type)) ?? [];
    const asksForOpening = !isOwn(rule) && asks(rule.condition, isOfOpening);
    const isNeeded = (type: string): boolean =>
      isToldOfNothing(rule) || (opens.has(type) ? asksForOpening : type === "ptrace" && !isOwn(rule));
    calls = types.filter(isNeeded);
    known.set(rule, calls);
  }
  return calls;
}

/** Besides what is traced: rules of any event are told of something. */
function isToldOfNothing({ eventTypes: types }: Rule): boolean {
  return types !== undefined && !types.some((type) => activityTypes.has(type) || askingCalls.has(type));
}

/**
 * Whether a rule is to see a record: of calls that are told in two ways the one that is traced is for those that asked for it,
 * so that a deed is not seen twice by the others.
 */
export function isFor(rule: Rule, record: SensorRecord | undefined): boolean {
  if (record?.type !== "call" || record.isTraced !== true) return true;
  const isToldElsewhere = opens.has(record.name) || askingCalls.has(record.name);
  return !isToldElsewhere || callsTracedFor(rule).includes(record.name);
}

/** How a file was opened, beyond whether to read or to write it: emptied, by a path that goes up, or refused. */
function isOfOpening({ left, operator, right }: BoundTest): boolean {
  if (left.kind !== "field") return false;
  const values: readonly unknown[] = Array.isArray(right) ? right : [];
  const has = (part: string): boolean => values.some((value) => typeof value === "string" && value.includes(part));
  switch (left.field.name) {
    case "evt.arg":
      return left.argument === "flags" && has("O_TRUNC");
    case "fd.nameraw":
    case "fs.path.nameraw":
      return has("..");
    case "evt.failed":
      return values.includes(true);
    case "evt.res":
      return values.some((value) => typeof value === "string" && value.startsWith("E"));
    case "evt.rawres":
    case "fd.num":
      return operator.startsWith("<") || values.some((value) => typeof value === "number" && value < 0);
    default:
      return false;
  }
}

function isOwn({ tags }: Rule): boolean {
  return tags.includes("bulwark");
}

function isOfReads({ condition }: Rule): boolean {
  return asks(condition, ({ left }) => left.kind === "field" && left.field.name === "evt.is_open_read");
}

/** Of entries of directories; a file that is made or written is one, too. */
const changeTypes: ReadonlySet<string> = new Set([
  ...["mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "truncate", "ftruncate"],
  ...["chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"],
]);
const changeFields: ReadonlySet<string> = new Set(["evt.is_open_write", "evt.is_open_create"]);

function isOfChanges({ condition, eventTypes }: Rule): boolean {
  if (eventTypes?.some((type) => changeTypes.has(type)) === true) return true;
  return asks(condition, ({ left }) => left.kind === "field" && changeFields.has(left.field.name));
}

/** Whether it has such a test, and not behind a `not`. */
function asks(bound: Rule["condition"], is: (test: BoundTest) => boolean): boolean {
  if (bound.kind === "and" || bound.kind === "or") return bound.parts.some((part) => asks(part, is));
  return bound.kind === "test" && is(bound);
}

const fileFields = new Set([
  ...["fd.name", "fd.nameraw", "fs.path.name", "fs.path.nameraw"],
  ...["fs.path.source", "fs.path.sourceraw", "fs.path.target", "fs.path.targetraw"],
]);

interface NamedPath {
  readonly path: string;
  readonly isDirectory: boolean;
}

function directoryOf({ path, isDirectory }: NamedPath): string {
  return isDirectory ? path : path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The paths that a condition names: files, directories, and beginnings of paths as far as they name a directory. */
function pathsIn(bound: Rule["condition"]): NamedPath[] {
  if (bound.kind === "and" || bound.kind === "or") return bound.parts.flatMap(pathsIn);
  if (bound.kind !== "test" || bound.left.kind !== "field" || !Array.isArray(bound.right)) return [];
  const { operator } = bound;
  const { name } = bound.left.field;
  const texts = (bound.right as readonly unknown[]).filter((text) => typeof text === "string");
  const isEqual = operator === "=" || operator === "in" || operator === "intersects";
  const isBeginning = operator === "startswith" && fileFields.has(name);
  const isWhole = (isEqual || operator === "pmatch") && fileFields.has(name);
  const isDirectory = isEqual && name === "fd.directory";
  if (!isBeginning && !isWhole && !isDirectory) return [];
  return texts
    .map((text) => ({
      path: isBeginning ? text.slice(0, text.lastIndexOf("/")) : text.replace(/\/$/, ""),
      isDirectory: isBeginning || isDirectory || operator === "pmatch" || text.endsWith("/"),
    }))
    .filter(({ path }) => /^\/[^/\0\n]/.test(path));
}

/** A rule that asks for the whole of it, and any for that of an ancestor, gets all. */
function environmentFor(rules: readonly Rule[]): string[] {
  const names = rules.flatMap(({ condition, output }) =>
    [...operandsIn(condition), ...output.flatMap((part) => (typeof part === "string" ? [] : [part.operand]))]
      .flatMap(fieldsIn)
      .flatMap(({ field, argument }) =>
        field.name === "proc.env" ? [argument ?? "*"] : field.name === "proc.aenv" ? ["*"] : [],
      ),
  );
  return names.includes("*") ? ["*"] : [...new Set(names)].toSorted();
}

function operandsIn(bound: Rule["condition"]): Operand[] {
  if (bound.kind === "and" || bound.kind === "or") return bound.parts.flatMap(operandsIn);
  if (bound.kind === "not") return operandsIn(bound.part);
  return bound.kind === "test" ? [bound.left, ...(isOperand(bound.right) ? [bound.right] : [])] : [];
}

function isOperand(right: BoundTest["right"]): right is Operand {
  return !Array.isArray(right);
}

function fieldsIn(operand: Operand): Extract<Operand, { kind: "field" }>[] {
  if (operand.kind === "field") return [operand];
  return operand.inputs.flatMap((input) => ("kind" in input ? fieldsIn(input) : []));
}
