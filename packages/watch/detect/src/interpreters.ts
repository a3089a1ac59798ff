import type { Entry } from "./process-table.ts";

/** Programs that run commands which they read, by base name without a version. */
const shells = new Set([
  "sh",
  "bash",
  "rbash",
  "dash",
  "ash",
  "hush",
  "zsh",
  "ksh",
  "ksh93",
  "mksh",
  "pdksh",
  "csh",
  "tcsh",
  "fish",
  "pwsh",
  "yash",
  "elvish",
  "nu",
]);
const interpreters = new Set([
  "python",
  "pypy",
  "perl",
  "ruby",
  "irb",
  "php",
  "php-cli",
  "node",
  "nodejs",
  "deno",
  "bun",
  "lua",
  "luajit",
  "awk",
  "gawk",
  "mawk",
  "nawk",
  "tclsh",
  "expect",
  "guile",
  "rscript",
  "julia",
  "osascript",
  "groovy",
  "jshell",
  "scheme",
]);
/** Many programs in one file; the name it was called by says which. */
const multicall = new Set(["busybox", "toybox"]);

export type InterpreterKind = "shell" | "interpreter";

/** What kind of command reader a process is, by the program that it runs and not by what it calls itself. */
export function interpreterKind({
  executable,
  arguments: words,
}: Pick<Entry, "executable" | "arguments">): InterpreterKind | undefined {
  const program = baseName(executable);
  if (!multicall.has(program)) return kindOf(program);
  const [first = "", second = ""] = words;
  const called = baseName(first);
  return kindOf(multicall.has(called) ? baseName(second) : called);
}

/** Programs come again and again: what was found out lately is kept, within a bound. */
const lately = new Map<string, InterpreterKind | undefined>();
const latelyKept = 1024;
const longestKept = 256;

function kindOf(name: string): InterpreterKind | undefined {
  const known = lately.get(name);
  if (known !== undefined || lately.has(name)) return known;
  const kind = kindOfName(name);
  if (lately.size >= latelyKept) lately.clear();
  if (name.length <= longestKept) lately.set(name, kind);
  return kind;
}

function kindOfName(name: string): InterpreterKind | undefined {
  if (shells.has(name)) return "shell";
  if (interpreters.has(name)) return "interpreter";
  const plain = name.replace(/-?\d+(\.\d+)*$/, "");
  if (shells.has(plain)) return "shell";
  return interpreters.has(plain) ? "interpreter" : undefined;
}

/** Without folders, and without the dash that marks a login shell. */
function baseName(path: string): string {
  return path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/^-/, "")
    .replace(/ \(deleted\)$/, "")
    .toLowerCase();
}
