import type { Facts } from "@bulwark/check";
import { parseDockerfile, type Instruction } from "./dockerfile.ts";
import { splitReference } from "./reference.ts";
import { looksSecret } from "./secret-name.ts";
import { substitute } from "./substitute.ts";
import { assignments, splitWords } from "./words.ts";

interface Stage {
  index: number;
  line: number;
  name: string;
  /** As it is written, with arguments put in. */
  image: string;
  repository: string;
  tag: string;
  digest: string;
  /** Whether another stage, or nothing (`scratch`), is what it builds on. */
  local: boolean;
  /** Arguments of the image's name that have no value here: it is known when it is built. */
  unknown: string[];
  last: boolean;
}

/**
 * What checks of Dockerfiles may ask for, all in lists with the line that each stands on. `final` is the last stage
 * with those that it builds on: what ends up in the image. Facts of instructions that could not be read are missing.
 */
export function dockerfileFacts(source: string): Facts {
  const { instructions, problems } = parseDockerfile(source);
  const stages = stagesOf(instructions);
  const kept = ancestry(stages);
  const placed = place(instructions, stages, kept);
  const of = (...names: string[]) => placed.filter(({ name }) => names.includes(name));
  const values = {
    dockerfile: {
      stages,
      runs: of("RUN").map((run) => ({ ...run, script: scriptOf(run) })),
      copies: of("COPY", "ADD").map((copy) => ({ ...copy, ...pathsOf(copy) })),
      users: of("USER").map((user) => ({ ...user, user: user.text.split(":")[0] ?? "" })),
      variables: of("ENV", "ARG").flatMap((set) =>
        assignments(set.text).map(({ name, value }) => ({
          line: set.line,
          final: set.final,
          kind: set.name,
          name,
          // A check needs to know whether there is one, not which.
          set: value !== "" && !value.startsWith("$"),
          secret: looksSecret(name),
        })),
      ),
      ports: of("EXPOSE").flatMap((expose) =>
        splitWords(expose.text).map((port) => ({
          line: expose.line,
          final: expose.final,
          port: port.split("/")[0] ?? "",
        })),
      ),
      healthchecks: of("HEALTHCHECK"),
      commands: of("CMD", "ENTRYPOINT"),
      workdirs: of("WORKDIR"),
      maintainers: of("MAINTAINER"),
      shells: of("SHELL"),
      // The user that the container starts as; empty where the file does not say.
      user:
        of("USER")
          .findLast(({ final }) => final)
          ?.text.split(":")[0] ?? "",
      instructions: placed.map(({ name, line, stage, final }) => ({ name, line, stage, final })),
      problems,
    },
  };
  const missing: Record<string, string> =
    stages.length === 0 ? { dockerfile: "there is no FROM, so this is no Dockerfile" } : {};
  return { values, missing };
}

function stagesOf(instructions: readonly Instruction[]): Stage[] {
  const globals = new Map<string, string>();
  const stages: Stage[] = [];
  for (const { name, text, line } of instructions) {
    if (name === "ARG" && stages.length === 0) {
      for (const { name: key, value } of assignments(text))
        if (value !== "") globals.set(key, substitute(value, globals).text);
    }
    if (name !== "FROM") continue;
    const [written = "", as, alias] = splitWords(text);
    const { text: image, unknown } = substitute(written, globals);
    const { name: repository, tag, digest } = splitReference(image);
    const local =
      image === "scratch" || stages.some((stage) => stage.name !== "" && stage.name === image.toLowerCase());
    const stage = as?.toLowerCase() === "as" ? (alias ?? "").toLowerCase() : "";
    stages.push({
      index: stages.length,
      line,
      name: stage,
      image,
      repository,
      tag,
      digest,
      local,
      unknown,
      last: false,
    });
  }
  const last = stages.at(-1);
  if (last) last.last = true;
  return stages;
}

/** The last stage and those that it builds on, by their place. */
function ancestry(stages: readonly Stage[]): Set<number> {
  const kept = new Set<number>();
  for (let stage = stages.at(-1); stage && !kept.has(stage.index);) {
    kept.add(stage.index);
    const { image, index } = stage;
    stage = stages.slice(0, index).findLast(({ name }) => name !== "" && name === image.toLowerCase());
  }
  return kept;
}

type Placed = Instruction & { stage: number; final: boolean };

function place(instructions: readonly Instruction[], stages: readonly Stage[], kept: ReadonlySet<number>): Placed[] {
  return instructions.map((instruction) => {
    const stage = stages.findLast(({ line }) => line <= instruction.line)?.index ?? -1;
    return { ...instruction, stage, final: kept.has(stage) };
  });
}

/** What the shell is given: the command, its JSON words, and here-documents. */
function scriptOf({ text, json, heredocs }: Instruction): string {
  return [json ? json.join(" ") : text, ...heredocs.map(({ body }) => body)].join("\n");
}

function pathsOf({ text, json, flags, heredocs }: Instruction): { sources: string[]; target: string; from: string } {
  const words = (json ?? splitWords(text)).filter(
    (word) => !heredocs.some(({ name }) => word.endsWith(`<<${name}`) || word.endsWith(`<<-${name}`)),
  );
  return { sources: words.slice(0, -1), target: words.at(-1) ?? "", from: flags["from"] ?? "" };
}
