import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { BulwarkError, errorText, systemCode } from "@bulwark/model/plain";
import type { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { defaultConfigFile } from "./data-folder.ts";
import { configSchema, type Config } from "./schema.ts";

export class ConfigError extends BulwarkError<"unreadable" | "invalid"> {}

/**
 * Reads the configuration. Without `file` the default one is read where it exists. `DATABASE_URL` and `NATS_URL` in
 * the environment win over the file. Raises `ConfigError` with file, line and what is expected there.
 */
export function loadConfig(file?: string, environment: NodeJS.ProcessEnv = process.env): Config {
  const text = readText(file);
  const config = text === undefined ? configSchema.parse({}) : parseConfig(text, file ?? defaultConfigFile);
  const server = { ...config.server };
  if (environment["DATABASE_URL"]) server.database = environment["DATABASE_URL"];
  if (environment["NATS_URL"]) server.nats = environment["NATS_URL"];
  return { ...config, server };
}

/**
 * A secret from the variable `name` of the environment, else from `file` without white space around it; undefined where
 * there is neither. Raises `ConfigError`.
 */
export function readSecret(
  name: string,
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const given = environment[name];
  if (given !== undefined && given !== "") return given;
  if (file === undefined) return undefined;
  try {
    const text = readFileSync(file, "utf8").trim();
    if (text !== "") return text;
  } catch (error) {
    throw new ConfigError("unreadable", `${file}: ${errorText(error)}`, {
      remedy: `make the file readable, or set ${name}`,
      cause: error,
    });
  }
  throw new ConfigError("invalid", `${file} is empty`, { remedy: `write the secret into it, or set ${name}` });
}

function readText(file: string | undefined): string | undefined {
  try {
    return readFileSync(file ?? defaultConfigFile, "utf8");
  } catch (error) {
    if (file === undefined && systemCode(error) === "ENOENT") return undefined;
    throw new ConfigError("unreadable", `${file ?? defaultConfigFile}: ${errorText(error)}`, {
      remedy: "name a file that exists and can be read with --config",
      cause: error,
    });
  }
}

/** For what only a file of configuration needs: few commands find one, and each would wait for it. */
const require = createRequire(import.meta.url);

/** `file` is only for messages. */
export function parseConfig(text: string, file: string): Config {
  const yaml = require("yaml") as typeof import("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) throw invalid(file, lines.linePos(syntax.pos[0]).line, syntax.message);

  const parsed = configSchema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (!issue) throw parsed.error;
  throw invalid(file, lineOf(document, lines, issue), describe(issue));
}

function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, issue: z.core.$ZodIssue): number {
  const key = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  for (let path = [...issue.path, ...key]; path.length > 0; path = path.slice(0, -1)) {
    const node = document.getIn(path, true);
    if (typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return 1;
}

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  if (issue.code === "unrecognized_keys") return `${place}no such setting: ${issue.keys.join(", ")}`;
  return place + issue.message;
}

function invalid(file: string, line: number, message: string): ConfigError {
  return new ConfigError("invalid", `${file}:${line}: ${message}`, {
    remedy: "see docs/configuration.md for every setting",
  });
}
