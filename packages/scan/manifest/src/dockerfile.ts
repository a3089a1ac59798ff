/**
 * A Dockerfile as BuildKit reads it (docs.docker.com/reference/dockerfile, moby/buildkit frontend/dockerfile/parser):
 * the escape directive, continued lines with comments between them, here-documents, flags, the JSON form.
 */
export interface Instruction {
  /** In capitals: `RUN`. */
  name: string;
  /** 1 is the first. */
  line: number;
  /** `--from=build` as `{ from: "build" }`; one without a value is `true` as text. */
  flags: Record<string, string>;
  /** What follows the flags, on one line; here-documents are not in it. */
  text: string;
  /** The words of the JSON form; null where it is not used. */
  json: string[] | null;
  /** Bodies of its here-documents, in their order. */
  heredocs: { name: string; expand: boolean; body: string }[];
}

export interface ParsedDockerfile {
  instructions: Instruction[];
  /** Lines that are none of an instruction: what is on them is not judged. */
  problems: { line: number; message: string }[];
}

const names = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
/** A longer one is none that a person wrote. */
const sizeLimit = 1024 * 1024;
const instructionLimit = 10_000;

/** Never raises: what is not understood is in `problems`. */
export function parseDockerfile(source: string): ParsedDockerfile {
  const problems: ParsedDockerfile["problems"] = [];
  if (source.length > sizeLimit) problems.push({ line: 1, message: `only the first ${sizeLimit} characters are read` });
  const lines = source
    .slice(0, sizeLimit)
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/);
  const escape = escapeOf(lines);
  const instructions: Instruction[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    const joined = joinContinued(lines, at, escape);
    at = joined.next;
    const text = joined.text.trim();
    if (text === "") continue;
    const name = /^\S+/.exec(text)?.[0]?.toUpperCase() ?? "";
    if (!names.has(name)) {
      problems.push({ line, message: `no instruction: ${name.slice(0, 40)}` });
      continue;
    }
    if (instructions.length >= instructionLimit) {
      problems.push({ line, message: `only the first ${instructionLimit} instructions are read` });
      break;
    }
    const { flags, rest } = readFlags(text.slice(name.length).trim());
    const heredocs = ["RUN", "COPY", "ADD"].includes(name) ? heredocsOf(rest) : [];
    const bodies: Instruction["heredocs"] = [];
    for (const { word, expand, strip } of heredocs) {
      const end = endOf(lines, at, word, strip);
      if (end < 0) problems.push({ line, message: `the here-document ${word} has no end` });
      const body = lines.slice(at, end < 0 ? lines.length : end);
      bodies.push({ name: word, expand, body: body.map((one) => (strip ? one.replace(/^\t+/, "") : one)).join("\n") });
      at = end < 0 ? lines.length : end + 1;
    }
    instructions.push({ name, line, flags, text: rest, json: jsonOf(rest), heredocs: bodies });
  }
  return { instructions, problems };
}

/** Directives are comments before everything else: `# escape=` and a backquote. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line);
    if (!directive) return "\\";
    if (directive[1]?.toLowerCase() === "escape") return directive[2] === "`" ? "`" : "\\";
  }
  return "\\";
}

/** A line with those that continue it. Comments and empty lines between them are left out. */
function joinContinued(lines: readonly string[], from: number, escape: string): { text: string; next: number } {
  const parts: string[] = [];
  let continued = false;
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (/^\s*#/.test(line) || (continued && line.trim() === "")) {
      if (continued) continue;
      return { text: "", next: at + 1 };
    }
    const trimmed = line.trimEnd();
    continued = trimmed.endsWith(escape);
    parts.push(continued ? trimmed.slice(0, -1) : line);
    if (!continued) return { text: parts.join(""), next: at + 1 };
  }
  return { text: parts.join(""), next: lines.length };
}

function readFlags(text: string): { flags: Record<string, string>; rest: string } {
  const flags: Record<string, string> = {};
  let rest = text;
  for (;;) {
    const flag = /^--([a-z][a-z.-]*)(?:=("[^"]*"|'[^']*'|\S*))?(?:\s+|$)/.exec(rest);
    if (!flag) return { flags, rest };
    flags[flag[1] ?? ""] = (flag[2] ?? "true").replace(/^(["'])(.*)\1$/, "$2");
    rest = rest.slice(flag[0].length);
  }
}

function heredocsOf(text: string): { word: string; expand: boolean; strip: boolean }[] {
  return [...text.matchAll(/(?<![<\w])\d*<<(-?)\s*(["']?)([a-zA-Z_][\w.]*)\2/g)].map((match) => ({
    word: match[3] ?? "",
    expand: match[2] === "",
    strip: match[1] === "-",
  }));
}

function endOf(lines: readonly string[], from: number, word: string, strip: boolean): number {
  return lines.findIndex((line, index) => index >= from && (strip ? line.replace(/^\t+/, "") : line) === word);
}

function jsonOf(text: string): string[] | null {
  if (!text.startsWith("[")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === "string") ? value : null;
  } catch {
    return null;
  }
}
