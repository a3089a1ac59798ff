import type { Expr } from "./ast.ts";

/** A field read of what is no name or field itself costs a step more (cel-go: a relative attribute). */
export function stepCost(operand: Expr): number {
  const attribute = ["ident", "local", "select"].includes(operand.kind);
  return attribute || (operand.kind === "call" && (operand.name === "_[_]" || operand.name === "_[?_]")) ? 1 : 2;
}

/** Literals, and lists and maps of nothing else: made once. */
export function isConstant(expr: Expr): boolean {
  if (expr.kind === "literal") return true;
  if (expr.kind === "list") return expr.optional.size === 0 && expr.elements.every(isConstant);
  return expr.kind === "map" && expr.entries.every((it) => !it.optional && isConstant(it.key) && isConstant(it.value));
}
