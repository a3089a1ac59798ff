/** The tree of an expression. Macros are nodes of their own: what they mean is decided where the tree is compiled. */

export type Expr = Bind | Block | Call | Comprehension | Ident | List | Literal | Local | MapLiteral | Message | Select;

interface Node {
  /** In UTF-16 units from the start of the expression. */
  readonly offset: number;
}

interface Literal extends Node {
  readonly kind: "literal";
  readonly value: unknown;
}

interface Ident extends Node {
  readonly kind: "ident";
  /** With a leading dot: not looked for in the container. */
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  /** `has(a.b)`. */
  readonly test: boolean;
  /** `a.?b`. */
  readonly optional: boolean;
}

/** Operators too: `_+_`, `_&&_` with two or more operands, `!_`, `-_`, `_?_:_`, `_[_]`, `_[?_]`, `@in`. */
export interface Call extends Node {
  readonly kind: "call";
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export interface List extends Node {
  readonly kind: "list";
  readonly elements: readonly Expr[];
  /** Indices of `?element`. */
  readonly optional: ReadonlySet<number>;
}

export interface Entry {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapLiteral extends Node {
  readonly kind: "map";
  readonly entries: readonly Entry[];
}

export interface Field {
  readonly offset: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface Message extends Node {
  readonly kind: "message";
  readonly name: string;
  readonly fields: readonly Field[];
}

export type ComprehensionKind =
  | "all"
  | "exists"
  | "existsOne"
  | "filter"
  | "map"
  | "sortBy"
  | "transformList"
  | "transformMap"
  | "transformMapEntry";

/** One variable holds the element of a list or the key of a map; two hold index and element, or key and value. */
export interface Comprehension extends Node {
  readonly kind: "comprehension";
  readonly macro: ComprehensionKind;
  readonly range: Expr;
  readonly variables: readonly string[];
  readonly filter?: Expr;
  /** The predicate of `all`, `exists` and `existsOne`; what the others make of an element. */
  readonly body: Expr;
}

/** `cel.bind(name, value, body)`; with `optional` also `optMap` and `optFlatMap`: the body runs where there is a value. */
export interface Bind extends Node {
  readonly kind: "bind";
  readonly name: string;
  readonly value: Expr;
  readonly body: Expr;
  readonly optional?: "flatMap" | "map";
}

/** `cel.block([…], body)`: values that are named by their index. */
export interface Block extends Node {
  readonly kind: "block";
  readonly values: readonly Expr[];
  readonly body: Expr;
}

/** A name that only macros make: `cel.index(0)`, `cel.iterVar(0, 0)`. */
interface Local extends Node {
  readonly kind: "local";
  readonly name: string;
}
