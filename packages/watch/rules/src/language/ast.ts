/** The tree of a condition. Nodes are frozen; offsets are UTF-16 units from the start of the condition's text. */

export type Expr = And | Or | Not | MacroUse | Check;

interface And {
  readonly kind: "and";
  readonly parts: readonly Expr[];
}

interface Or {
  readonly kind: "or";
  readonly parts: readonly Expr[];
}

interface Not {
  readonly kind: "not";
  readonly part: Expr;
}

/** A bare identifier: the condition of the macro of that name. */
interface MacroUse {
  readonly kind: "macro";
  readonly name: string;
  readonly place: Place;
}

export interface Check {
  readonly kind: "check";
  readonly left: Operand;
  readonly operator: Operator;
  /** Absent for `exists`. */
  readonly right?: Right;
  /** How a list on the right of an operator for one value is taken: `startswith anyof (a, b)`. */
  readonly modifier?: Modifier;
  readonly place: Place;
}

export type Operand = FieldUse | Transform;

export interface FieldUse {
  readonly kind: "field";
  /** As it is written, without the argument in brackets: `evt.arg.flags`, `proc.aname`. */
  readonly name: string;
  /** What stands in brackets. */
  readonly argument?: string;
  readonly place: Place;
}

/** `tolower(proc.name)`; nested ones have a transform inside. */
export interface Transform {
  readonly kind: "transform";
  readonly name: TransformName;
  readonly inputs: readonly (Operand | Value | List)[];
  readonly place: Place;
}

export type Right = Value | List | Operand;

export interface Value {
  readonly kind: "value";
  readonly text: string;
  /** Never the name of a list. */
  readonly quoted: boolean;
  readonly place: Place;
}

export interface List {
  readonly kind: "list";
  readonly items: readonly Value[];
  readonly place: Place;
}

export const numberOperators = ["<=", "<", ">=", ">"] as const;
export const textOperators = [
  ...(["==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains"] as const),
  ...(["startswith", "bstartswith", "endswith", "regex"] as const),
] as const;
export const listOperators = ["intersects", "in", "pmatch"] as const;
export const operators = ["exists", ...numberOperators, ...textOperators, ...listOperators] as const;
export type Operator = (typeof operators)[number];

export const modifiers = ["oneof", "anyof", "allof"] as const;
export type Modifier = (typeof modifiers)[number];

export const transformNames = ["tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"] as const;
export type TransformName = (typeof transformNames)[number];

/** Where something stands: a text of a rule file, and the offset in it. */
export interface Place {
  readonly source: Source;
  readonly offset: number;
}

/** A text inside a rule file: a condition, an output, an item of a list. */
export interface Source {
  readonly text: string;
  /** Where an offset of the text stands in the file. */
  readonly origin: (offset: number) => Origin;
}

export interface Origin {
  /** Name of the file. */
  readonly file: string;
  /** All of the file. */
  readonly content: string;
  readonly offset: number;
}
