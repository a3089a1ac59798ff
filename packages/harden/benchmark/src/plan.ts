import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  closeSync,
  constants,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { BulwarkError, errorText, type CheckResult } from "@bulwark/model";
import { z } from "zod";
import type { Fix } from "./document.ts";
import type { BenchmarkCheck } from "./load.ts";
import { openRoot, type Root } from "./root.ts";

/**
 * - `changed`: a file is not as it was when the plan was made or carried out
 * - `unsafe`: a change would follow a link, or leave the host's root
 * - `no-backup`: there is none of that name
 */
class PlanError extends BulwarkError<"changed" | "unsafe" | "no-backup"> {}

/** One file as it is to become. */
export type Change =
  | { kind: "write"; path: string; before: string | null; after: string; checks: string[] }
  | {
      kind: "mode";
      path: string;
      before: { mode: number; uid: number; gid: number };
      after: { mode: number; uid: number; gid: number };
      checks: string[];
    };

export interface Plan {
  changes: Change[];
  /** Checks that fail and have no remedy that a program may carry out, or whose remedy cannot be, and why. */
  left: { check: string; reason: string }[];
}

const sysctlFile = "/etc/sysctl.d/60-bulwark.conf";
const modprobeFile = "/etc/modprobe.d/bulwark.conf";
/** Files of settings that a key may be written into, by how a line of them looks. */
const forms: Readonly<Record<string, (key: string, value: string) => string>> = {
  "/etc/login.defs": (key, value) => `${key.toUpperCase()}\t${value}`,
  "/etc/default/useradd": (key, value) => `${key.toUpperCase()}=${value}`,
  "/etc/security/pwquality.conf": (key, value) => `${key} = ${value}`,
  "/etc/security/faillock.conf": (key, value) => `${key} = ${value}`,
  "/etc/audit/auditd.conf": (key, value) => `${key} = ${value}`,
};
const headline = "# Written by bulwark harden; bulwark harden --undo takes it back.\n";

/**
 * What to change on a host so that checks which fail hold: drop-ins of sysctl.d and modprobe.d, modes and owners, keys in
 * files of settings whose form is known. Nothing is changed. Several checks that ask for the same are one change.
 */
export function makePlan(rootFolder: string, checks: readonly BenchmarkCheck[], results: readonly CheckResult[]): Plan {
  const root = openRoot(rootFolder);
  const failing = new Set(results.filter(({ state }) => state === "fail").map(({ check }) => check));
  const writes = new Map<string, { before: string | null; after: string; checks: string[] }>();
  const modes = new Map<string, Extract<Change, { kind: "mode" }>>();
  const left: Plan["left"] = [];
  for (const check of checks.filter(({ id }) => failing.has(id))) {
    if (check.fix.length === 0) left.push({ check: check.id, reason: "what to do needs a person" });
    for (const fix of check.fix) {
      try {
        const reason = add(root, fix, check.id, writes, modes);
        if (reason !== undefined) left.push({ check: check.id, reason });
      } catch (error) {
        left.push({ check: check.id, reason: errorText(error) });
      }
    }
  }
  const files = [...writes].map(([path, write]): Change => ({ kind: "write", path, ...write }));
  return { changes: [...files, ...modes.values()], left };
}

type Writes = Map<string, { before: string | null; after: string; checks: string[] }>;

/** Why it cannot be done, where it cannot. */
function add(
  root: Root,
  fix: Fix,
  check: string,
  writes: Writes,
  modes: Map<string, Extract<Change, { kind: "mode" }>>,
): string | undefined {
  switch (fix.kind) {
    case "sysctl": {
      const there = fix.parameters.filter((name) => root.stat(`/proc/sys/${name.replaceAll(".", "/")}`) !== undefined);
      const wanted = there.length > 0 ? there : fix.parameters;
      for (const name of wanted)
        setLine(root, writes, sysctlFile, new RegExp(`^${literal(name)}\\s*=`), `${name} = ${fix.value}`, check);
      return undefined;
    }
    case "module":
      setLine(root, writes, modprobeFile, new RegExp(`^install ${fix.name} `), `install ${fix.name} /bin/false`, check);
      setLine(root, writes, modprobeFile, new RegExp(`^blacklist ${fix.name}$`), `blacklist ${fix.name}`, check);
      return undefined;
    case "setting": {
      const form = forms[fix.path];
      if (!form) return `${fix.path} has a form that nothing is written into`;
      if (root.text(fix.path) === undefined) return `there is no ${fix.path}`;
      const line = new RegExp(`^#?\\s*${literal(fix.key)}\\b`, "i");
      setLine(root, writes, fix.path, line, form(fix.key, String(fix.value)), check);
      return undefined;
    }
    case "mode":
      return addMode(root, fix, check, modes);
  }
}

/** Names have no sign that means something but the dot. */
function literal(name: string): string {
  return name.replaceAll(".", String.raw`\.`);
}

function addMode(
  root: Root,
  fix: Extract<Fix, { kind: "mode" }>,
  check: string,
  modes: Map<string, Extract<Change, { kind: "mode" }>>,
): string | undefined {
  const stats = root.stat(fix.path, { link: true });
  if (!stats) return `there is no ${fix.path}`;
  if (stats.isSymbolicLink()) return `${fix.path} is a link; what it leads to is for a person`;
  const before = { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
  const known = modes.get(fix.path);
  const from = known?.after ?? before;
  const after = {
    mode: fix.mode === undefined ? from.mode : from.mode & parseInt(fix.mode, 8),
    uid: fix.owner === "root" ? 0 : from.uid,
    gid: fix.group === "root" ? 0 : from.gid,
  };
  modes.set(fix.path, { kind: "mode", path: fix.path, before, after, checks: [...(known?.checks ?? []), check] });
  return undefined;
}

/** Puts a line into a file in place of the first that says the same; other lines stay as they are. */
function setLine(root: Root, writes: Writes, path: string, like: RegExp, line: string, check: string): void {
  const before = root.text(path) ?? null;
  const known = writes.get(path) ?? { before, after: before ?? headline, checks: [] };
  const lines = known.after.split("\n");
  const at = lines.findIndex((one) => like.test(one));
  if (at >= 0) lines[at] = line;
  else lines.splice(lines.at(-1) === "" ? -1 : lines.length, 0, line);
  const text = lines.join("\n");
  const after = text.endsWith("\n") ? text : `${text}\n`;
  writes.set(path, { before, after, checks: [...new Set([...known.checks, check])] });
}

const backupDocument = z.strictObject({
  version: z.literal(1),
  madeAt: z.number().int(),
  entries: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("write"), path: z.string(), before: z.string().nullable(), digest: z.string() }),
      z.strictObject({
        kind: z.literal("mode"),
        path: z.string(),
        before: z.strictObject({ mode: z.number(), uid: z.number(), gid: z.number() }),
        after: z.strictObject({ mode: z.number(), uid: z.number(), gid: z.number() }),
      }),
    ]),
  ),
});
type Backup = z.infer<typeof backupDocument>;

/**
 * Carries a plan out. What was there before is on disk in `backups` before anything changes; the answer is the name by
 * which `undoPlan` takes it back. Raises `PlanError` `changed` before the first change where a file is not as the plan saw
 * it, and takes back what it did where a change fails.
 */
export function applyPlan(rootFolder: string, plan: Plan, backups: string, now: number): string {
  const root = openRoot(rootFolder);
  for (const change of plan.changes) verify(root, change);
  const name = `${new Date(now).toISOString().replaceAll(/[:.]/g, "-")}-${randomBytes(3).toString("hex")}`;
  const backup: Backup = { version: 1, madeAt: now, entries: plan.changes.map(entryOf) };
  mkdirSync(backups, { recursive: true, mode: 0o700 });
  writeFileSync(join(backups, `${name}.json`), JSON.stringify(backup), { mode: 0o600, flush: true });
  const done: Backup["entries"] = [];
  try {
    for (const [index, change] of plan.changes.entries()) {
      const entry = backup.entries[index];
      // A file is written whole or not at all; of owner and mode one may be changed when the other fails.
      if (entry?.kind === "mode") done.unshift(entry);
      carryOut(rootFolder, change);
      if (entry?.kind === "write") done.unshift(entry);
    }
  } catch (error) {
    for (const entry of done) putBack(rootFolder, entry);
    rmSync(join(backups, `${name}.json`));
    throw error;
  }
  return name;
}

function verify(root: Root, change: Change): void {
  if (change.kind === "write") {
    if ((root.text(change.path) ?? null) !== change.before) throw changed(change.path);
    return;
  }
  const stats = root.stat(change.path, { link: true });
  const { mode, uid, gid } = change.before;
  if (!stats || (stats.mode & 0o7777) !== mode || stats.uid !== uid || stats.gid !== gid) throw changed(change.path);
}

function changed(path: string): PlanError {
  return new PlanError("changed", `${path} is not as it was when it was looked at`, { remedy: "make the plan again" });
}

function entryOf(change: Change): Backup["entries"][number] {
  const { path } = change;
  if (change.kind === "mode") return { kind: "mode", path, before: change.before, after: change.after };
  return { kind: "write", path, before: change.before, digest: digestOf(change.after) };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function carryOut(rootFolder: string, change: Change): void {
  if (change.kind === "write") replace(rootFolder, change.path, change.after);
  else setMode(rootFolder, change.path, change.after);
}

/** Where a path is here. Raises `PlanError` where a step of it is a link: a change must be where it says. */
function placeOf(rootFolder: string, path: string): string {
  const root = openRoot(rootFolder);
  const steps = path.split("/").filter(Boolean);
  for (const [index] of steps.entries()) {
    const step = `/${steps.slice(0, index + 1).join("/")}`;
    const target = root.link(step);
    if (target !== undefined) {
      throw new PlanError("unsafe", `${path}: ${step} is a link to ${target}`, { remedy: "change it by hand" });
    }
  }
  return join(rootFolder, path);
}

/** All of the new text or all of the old, with the rights that the old had. */
function replace(rootFolder: string, path: string, text: string): void {
  const place = placeOf(rootFolder, path);
  mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
  const old = existsSync(place) ? lstatSync(place) : undefined;
  const fresh = `${place}.bulwark-${randomBytes(4).toString("hex")}`;
  const file = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    writeFileSync(file, text, { flush: true });
  } finally {
    closeSync(file);
  }
  chmodSync(fresh, old ? old.mode & 0o7777 : 0o644);
  if (old) chownSync(fresh, old.uid, old.gid);
  renameSync(fresh, place);
}

function setMode(
  rootFolder: string,
  path: string,
  { mode, uid, gid }: { mode: number; uid: number; gid: number },
): void {
  const place = placeOf(rootFolder, path);
  const stats = lstatSync(place);
  // A change of owner takes setuid bits away, so the mode comes after.
  if (stats.uid !== uid || stats.gid !== gid) chownSync(place, uid, gid);
  chmodSync(place, mode);
}

/** Names of backups, latest first. */
export function listBackups(backups: string): string[] {
  if (!existsSync(backups)) return [];
  const files = readdirSync(backups).filter((name) => name.endsWith(".json"));
  return files
    .map((name) => basename(name, ".json"))
    .toSorted()
    .toReversed();
}

/**
 * Takes a plan back: every file as it was before. One that somebody changed since is left, and named in the answer. The
 * backup is kept while something is left.
 */
export function undoPlan(rootFolder: string, backups: string, name: string): { undone: string[]; left: string[] } {
  const path = join(backups, `${basename(name)}.json`);
  if (!existsSync(path)) {
    throw new PlanError("no-backup", `no backup ${name}`, {
      remedy: listBackups(backups).join(", ") || "there are none",
    });
  }
  const { entries } = backupDocument.parse(JSON.parse(readFileSync(path, "utf8")));
  const root = openRoot(rootFolder);
  const undone: string[] = [];
  const left: string[] = [];
  for (const entry of entries.toReversed()) {
    if (isOurs(root, entry)) {
      putBack(rootFolder, entry);
      undone.push(entry.path);
    } else {
      left.push(entry.path);
    }
  }
  if (left.length === 0) rmSync(path);
  return { undone, left };
}

function isOurs(root: Root, entry: Backup["entries"][number]): boolean {
  if (entry.kind === "write") {
    const text = root.text(entry.path);
    return text !== undefined && digestOf(text) === entry.digest;
  }
  const stats = root.stat(entry.path, { link: true });
  const { mode, uid, gid } = entry.after;
  return stats !== undefined && (stats.mode & 0o7777) === mode && stats.uid === uid && stats.gid === gid;
}

function putBack(rootFolder: string, entry: Backup["entries"][number]): void {
  if (entry.kind === "mode") setMode(rootFolder, entry.path, entry.before);
  else if (entry.before === null) rmSync(placeOf(rootFolder, entry.path), { force: true });
  else replace(rootFolder, entry.path, entry.before);
}
