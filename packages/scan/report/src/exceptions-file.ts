import { errorText } from "@bulwark/model/plain";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { ReportError } from "./error.ts";
import type { Exceptions } from "./exceptions.ts";

const pattern = z.string().min(1).max(1024);
const exception = z.strictObject({
  /** CVE or another name of the weakness, kind of secret, rule of malware, check; `*` stands for any characters. */
  id: pattern,
  /** Name or package URL, with `*`. */
  package: pattern.optional(),
  /** Path in what is scanned, as a glob: `test/**`. */
  path: pattern.optional(),
  /** Name of what is scanned, with `*`. */
  target: pattern.optional(),
  reason: z.string().trim().min(1).max(2048),
  owner: z.string().trim().min(1).max(256),
  /** The last day on which it holds; `never` has to be said. */
  expires: z.union([z.literal("never"), z.iso.date()]),
});
const document = z.strictObject({ exceptions: z.array(exception).max(10_000) });
export type Exception = z.infer<typeof exception>;

/** Reads a file of exceptions. Raises `ReportError` `bad-exceptions` with file, line and what is expected there. */
export function parseExceptions(text: string, file: string): Exceptions {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines });
  const [broken] = yaml.errors;
  if (broken) throw bad(file, lines.linePos(broken.pos[0]).line, broken.message.split("\n")[0] ?? "");
  let value: unknown;
  try {
    value = yaml.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw bad(file, 1, errorText(error));
  }
  const parsed = document.safeParse(value ?? { exceptions: [] });
  if (parsed.success) return { file, list: parsed.data.exceptions };
  const [issue] = parsed.error.issues;
  const node = yaml.getIn(issue?.path ?? [], true) ?? yaml.getIn(issue?.path.slice(0, -1) ?? [], true);
  const place = (node as { range?: [number] } | undefined)?.range?.[0] ?? 0;
  throw bad(file, lines.linePos(place).line, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

function bad(file: string, line: number, message: string): ReportError {
  return new ReportError("bad-exceptions", `${file}:${line}: ${message}`, {
    remedy: "an exception has id, reason, owner, expires, and may have package, path, target",
  });
}
