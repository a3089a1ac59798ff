import { bindOperand, type Names } from "../compile/bind.ts";
import type { Format } from "../format.ts";
import type { Source } from "../language/ast.ts";
import { ConditionError } from "../language/error.ts";
import { parseOperandAt } from "../language/parser.ts";

/**
 * An output: `%field`, `%field[argument]`, `%tolower(field)`; `%%` is a percent sign. A star before a percent sign asked
 * Falco to print absent fields, too, which is always done. Raises a `ConditionError`.
 */
export function parseOutput(output: Source, names: Names): Format {
  const text = output.text.trimEnd();
  const parts: Format[number][] = [];
  let start = text.startsWith("*%") ? 1 : 0;
  let at = start;
  const literal = (end: number): void => {
    if (end > start) parts.push(text.slice(start, end));
  };
  while ((at = text.indexOf("%", at)) >= 0) {
    literal(at);
    if (text[at + 1] === "%") {
      start = at + 1;
      at += 2;
      continue;
    }
    const place = Object.freeze({ source: output, offset: at });
    const found = parseOperandAt(output, at + 1);
    if (!found) {
      throw new ConditionError("a percent sign without a field", place, "write %proc.name, or %% for a percent sign");
    }
    parts.push({ operand: bindOperand(found.operand, names), token: text.slice(at + 1, found.end) });
    at = found.end;
    start = at;
  }
  literal(text.length);
  return Object.freeze(parts);
}
