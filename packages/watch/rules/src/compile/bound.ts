import type { Modifier, Operator, TransformName } from "../language/ast.ts";
import type { Field, FieldType } from "../fields/catalogue.ts";

/**
 * A condition without names that stand for something else: macros and lists are put in, fields are known, values have
 * the type of their field. Equal keys mean equal conditions, so that shared parts are worked out once.
 */
export type Bound = BoundChain | BoundNot | BoundTest | BoundConstant;

export interface BoundChain {
  readonly kind: "and" | "or";
  readonly parts: readonly Bound[];
  readonly key: string;
}

interface BoundNot {
  readonly kind: "not";
  readonly part: Bound;
  readonly key: string;
}

export interface BoundConstant {
  readonly kind: "constant";
  readonly value: boolean;
  readonly key: string;
}

export interface BoundTest {
  readonly kind: "test";
  readonly left: BoundOperand;
  /** `==` is written `=`. */
  readonly operator: Exclude<Operator, "==">;
  /** Constants of the left side's type, or another operand. Empty for `exists`. */
  readonly right: readonly Constant[] | BoundOperand;
  readonly modifier: Modifier | undefined;
  readonly key: string;
}

export type Constant = string | number | boolean | Network | Uint8Array;

/** An address is a network of all bits. */
export interface Network {
  readonly family: 4 | 6;
  /** The address without its host bits. */
  readonly base: bigint;
  readonly bits: number;
}

export type BoundOperand = BoundField | BoundTransform;

export interface BoundField {
  readonly kind: "field";
  readonly field: Field;
  readonly argument: string | undefined;
  readonly type: FieldType;
  readonly isList: boolean;
  readonly isAny: boolean;
  readonly isProcess: boolean;
  readonly key: string;
}

export interface BoundTransform {
  readonly kind: "transform";
  readonly name: TransformName;
  readonly inputs: readonly (BoundOperand | readonly string[])[];
  readonly type: FieldType;
  readonly isList: boolean;
  readonly isAny: boolean;
  readonly isProcess: boolean;
  readonly key: string;
}

export const always: BoundConstant = Object.freeze({ kind: "constant", value: true, key: "true" });
export const never: BoundConstant = Object.freeze({ kind: "constant", value: false, key: "false" });

export function isOperand(right: BoundTest["right"]): right is BoundOperand {
  return !Array.isArray(right);
}

/** What is said twice is said once. */
export function chain(kind: "and" | "or", parts: readonly Bound[]): Bound {
  const all = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]));
  const flat = [...new Map(all.map((part) => [part.key, part])).values()];
  const [only] = flat;
  if (flat.length === 1 && only) return only;
  const key = `(${flat.map((part) => part.key).join(` ${kind} `)})`;
  return Object.freeze({ kind, parts: Object.freeze(flat), key });
}

export function negate(part: Bound): Bound {
  return part.kind === "not" ? part.part : Object.freeze({ kind: "not", part, key: `not ${part.key}` });
}
