import { compile, extendEnvironment, type Environment, type Program } from "@bulwark/cel";
import type { CheckDocument } from "./document.ts";
import { compileTemplate, type Template } from "./template.ts";

/** A check that is ready to run; a kind of checks may say more of each than every check does. */
export type Check<D extends CheckDocument = CheckDocument> = D & {
  readonly programs: {
    readonly applies: Program | undefined;
    readonly otherwise: Template | undefined;
    readonly each: Program | undefined;
    readonly pass: Program;
    readonly reason: Template;
    readonly evidence: ReadonlyMap<string, Program>;
  };
};

/** Which expression of a check is none. */
export class ExpressionError extends Error {
  readonly field: readonly string[];
  constructor(field: readonly string[], cause: unknown) {
    super(`${field.join(".")}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.field = field;
  }
}

/** Raises an `ExpressionError`. */
export function compileCheck<D extends CheckDocument>(document: D, environment: Environment): Check<D> {
  const one = document.each === undefined ? environment : extendEnvironment(environment, { item: "dyn" });
  const part = <T>(field: readonly string[], make: () => T): T => {
    try {
      return make();
    } catch (error) {
      throw new ExpressionError(field, error);
    }
  };
  const { applies, otherwise, each, evidence } = document;
  return {
    ...document,
    programs: {
      applies: applies === undefined ? undefined : part(["applies"], () => typed(applies, environment, "bool")),
      otherwise:
        otherwise === undefined ? undefined : part(["otherwise"], () => compileTemplate(otherwise, environment)),
      each: each === undefined ? undefined : part(["each"], () => typed(each, environment, "list")),
      pass: part(["pass"], () => typed(document.pass, one, "bool")),
      reason: part(["reason"], () => compileTemplate(document.reason, one)),
      evidence: new Map(
        Object.entries(evidence).map(([key, text]) => [key, part(["evidence", key], () => compile(text, one))]),
      ),
    },
  };
}

function typed(expression: string, environment: Environment, kind: "bool" | "list"): Program {
  const program = compile(expression, environment);
  const found = program.type.kind;
  if (found !== kind && found !== "dyn") throw new Error(`must be a ${kind}, and is a ${program.type.name}`);
  return program;
}
