import {
  operators,
  type Check,
  type Expr,
  type FieldUse,
  type Operator,
  type Place,
  type Right,
} from "../language/ast.ts";
import { ConditionError } from "../language/error.ts";
import { isListOperator, parseItem, parseList, parseOperandAt } from "../language/parser.ts";
import type { ExceptionDefinition } from "./definitions.ts";
import { isText, type Text } from "./item.ts";

/**
 * The condition under which an exception holds; undefined where it has no values. Source: Falco,
 * `rule_loader_compiler.cpp` (`build_rule_exception_infos`).
 * - One field: the operator is `in` unless said, the values are its list.
 * - Several fields: the operators are `=` unless said; every value is a row with one value, or a list, for each field.
 */
export function exceptionExpr({ name, item, fields, comps, values }: ExceptionDefinition): Expr | undefined {
  const wrong = (message: string, remedy: string) =>
    item.error(item.node, `exception ${name}: ${message}`, remedy, "LOAD_ERR_VALIDATE");
  if (fields === undefined) throw wrong("has no fields", "write fields: [proc.name, fd.name]");
  if (isText(fields)) {
    if (comps !== undefined && !isText(comps)) throw wrong("one field, several comps", "write comps: in");
    const operator = operatorOf(comps, "in");
    if (!isListOperator(operator)) throw wrong(`${operator} for one field`, "comps is in, pmatch or intersects there");
    const items = values.map((value) => {
      if (isText(value)) return parseItem(value.source);
      throw wrong("a list as a value of one field", "write values: [a, b]");
    });
    if (items.length === 0) return undefined;
    const { place } = fields;
    return check(fieldOf(fields), operator, Object.freeze({ kind: "list", items: Object.freeze(items), place }));
  }
  if (comps !== undefined && (isText(comps) || comps.length !== fields.length)) {
    throw wrong(`${fields.length} fields need as many comps`, "one operator for each field");
  }
  const columns = fields.map((field, index) => ({
    field: fieldOf(field),
    operator: operatorOf(comps === undefined || isText(comps) ? undefined : comps[index], "="),
  }));
  const rows = values.map((row): Expr => {
    if (isText(row) || row.length !== columns.length) {
      throw wrong(`a value that is no list of ${columns.length}`, "one value for each field: values: [[a, b], [c, d]]");
    }
    const parts = columns.map(({ field, operator }, index) => {
      const value = row[index];
      if (value === undefined) throw wrong("a value is missing", "one value for each field");
      return check(field, operator, rightOf(field.place, operator, value, wrong));
    });
    return Object.freeze({ kind: "and", parts: Object.freeze(parts) });
  });
  return rows.length === 0 ? undefined : Object.freeze({ kind: "or", parts: Object.freeze(rows) });
}

function operatorOf(text: Text | undefined, usual: Operator): Operator {
  if (text === undefined) return usual;
  const known = operators.find((operator) => operator === text.text.trim());
  if (known && known !== "exists") return known;
  throw new ConditionError(`${text.text} is no operator`, text.place, `one of ${operators.slice(1).join(" ")}`);
}

function fieldOf({ text, source, place }: Text): FieldUse {
  const found = parseOperandAt(source, 0);
  if (found?.operand.kind === "field" && found.end === text.trimEnd().length) return found.operand;
  throw new ConditionError(`${text} is no field`, place, "write proc.name, or proc.aname[2]");
}

function rightOf(
  place: Place,
  operator: Operator,
  value: Text | readonly Text[],
  wrong: (message: string, remedy: string) => Error,
): Right {
  if (!isText(value)) {
    if (!isListOperator(operator)) throw wrong(`a list for ${operator}`, "give the field the operator in");
    return Object.freeze({ kind: "list", items: Object.freeze(value.map(({ source }) => parseItem(source))), place });
  }
  const item = parseItem(value.source);
  if (!isListOperator(operator)) return item;
  if (!item.quoted && item.text.startsWith("(")) return parseList(value.source);
  return Object.freeze({ kind: "list", items: Object.freeze([item]), place });
}

function check(left: FieldUse, operator: Operator, right: Right): Check {
  return Object.freeze({ kind: "check", left, operator, right, place: left.place });
}
