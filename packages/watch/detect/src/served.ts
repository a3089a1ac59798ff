import type { Rule } from "@bulwark/rules";
import { askingCalls, tracedCalls } from "@bulwark/sensor";
import { activityTypes } from "./fields/activity.ts";

/** What rules need of the sensor besides what it tells anyway. */
export interface Needs {
  /** System calls that it has to trace (`SensorOptions.calls`), sorted. */
  readonly calls: readonly string[];
  /** The rules that need them. */
  readonly traced: readonly Rule[];
  /** Files and directories whose opening it has to tell (`SensorOptions.opened`), sorted. */
  readonly opened: readonly string[];
  /** How many more they name: there are too many, or they are too long. */
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
export const leftOutReason = `of the files that rules want to see opened, at most ${mostPaths} are watched, with paths of at most ${longestPath} bytes`;

/** By the types of event that each may fire on. Rules that are switched off, or are of another source, need nothing. */
export function needsOf(rules: readonly Rule[]): Needs {
  const own = rules.flatMap((rule) => {
    const types = rule.isEnabled && rule.source === "syscall" ? rule.eventTypes : undefined;
    return types === undefined || types.some((type) => activityTypes.has(type) || askingCalls.has(type))
      ? []
      : [{ rule, types }];
  });
  const isTraced = ({ types }: { types: readonly string[] }): boolean => types.some((type) => tracedCalls.has(type));
  const traced = own.filter(isTraced);
  const named = new Set(rules.filter(isOthersRead).flatMap(({ condition }) => pathsIn(condition)));
  const opened = [...named]
    .filter((path) => Buffer.byteLength(path) <= longestPath)
    .toSorted()
    .slice(0, mostPaths);
  return {
    calls: [...new Set(traced.flatMap(({ types }) => types.filter((type) => tracedCalls.has(type))))].toSorted(),
    traced: traced.map(({ rule }) => rule),
    opened,
    leftOut: named.size - opened.length,
    unserved: own.filter((it) => !isTraced(it)).map(({ rule }) => rule),
  };
}

/** What Bulwark's own ask for is watched anyway. */
function isOthersRead({ isEnabled, source, tags, condition }: Rule): boolean {
  return isEnabled && source === "syscall" && !tags.includes("bulwark") && asksForReads(condition);
}

function asksForReads(bound: Rule["condition"]): boolean {
  if (bound.kind === "and" || bound.kind === "or") return bound.parts.some(asksForReads);
  return bound.kind === "test" && bound.left.kind === "field" && bound.left.field.name === "evt.is_open_read";
}

const fileFields = new Set(["fd.name", "fd.nameraw", "fs.path.name", "fs.path.nameraw"]);

/** The paths that a condition names: files, directories, and beginnings of paths as far as they name a directory. */
function pathsIn(bound: Rule["condition"]): string[] {
  if (bound.kind === "and" || bound.kind === "or") return bound.parts.flatMap(pathsIn);
  if (bound.kind !== "test" || bound.left.kind !== "field" || !Array.isArray(bound.right)) return [];
  const { operator } = bound;
  const { name } = bound.left.field;
  const texts = (bound.right as readonly unknown[]).filter((text) => typeof text === "string");
  const isEqual = operator === "=" || operator === "in" || operator === "intersects";
  const isBeginning = operator === "startswith" && fileFields.has(name);
  const isWhole = (isEqual || operator === "pmatch") && fileFields.has(name);
  if (!isBeginning && !isWhole && !(isEqual && name === "fd.directory")) return [];
  return texts
    .map((text) => (isBeginning ? text.slice(0, text.lastIndexOf("/")) : text.replace(/\/$/, "")))
    .filter((path) => /^\/[^/\0\n]/.test(path));
}
