/** Types of CEL and the rules by which one may stand for another (cel-go, checker/types.go). */

type Kind =
  | "any"
  | "bool"
  | "bytes"
  | "double"
  | "duration"
  | "dyn"
  | "int"
  | "list"
  | "map"
  | "null"
  | "object"
  | "opaque"
  | "param"
  | "string"
  | "timestamp"
  | "type"
  | "uint"
  | "wrapper";

export interface Type {
  readonly kind: Kind;
  /** As `type(x)` names it. */
  readonly name: string;
  readonly params: readonly Type[];
  /** Of an object type: its fields; none where they are not known. */
  readonly fields?: Readonly<Record<string, Type>>;
}

function simple(kind: Kind, name: string = kind): Type {
  return { kind, name, params: [] };
}

export const boolType = simple("bool");
export const bytesType = simple("bytes");
export const doubleType = simple("double");
export const durationType = simple("duration", "google.protobuf.Duration");
export const dynType = simple("dyn");
export const intType = simple("int");
export const nullType = simple("null", "null_type");
export const stringType = simple("string");
export const timestampType = simple("timestamp", "google.protobuf.Timestamp");
export const uintType = simple("uint");
export const anyType = simple("any", "google.protobuf.Any");

export function listType(element: Type): Type {
  return { kind: "list", name: "list", params: [element] };
}
export function mapType(key: Type, value: Type): Type {
  return { kind: "map", name: "map", params: [key, value] };
}
export function typeType(of?: Type): Type {
  return { kind: "type", name: "type", params: of ? [of] : [] };
}
export function paramType(name: string): Type {
  return { kind: "param", name, params: [] };
}
/** A type with a name and functions of its own, nothing more. */
export function opaqueType(name: string, ...params: Type[]): Type {
  return { kind: "opaque", name, params };
}
export function optionalType(value: Type): Type {
  return opaqueType("optional_type", value);
}
/** A value or null. */
export function wrapperType(value: Type): Type {
  return { kind: "wrapper", name: value.name, params: [value] };
}
/** A message. Without fields, every field may be read and is `dyn`. */
export function objectType(name: string, fields?: Readonly<Record<string, Type>>): Type {
  return { kind: "object", name, params: [], ...(fields ? { fields } : {}) };
}

export function isOptional(type: Type): boolean {
  return type.kind === "opaque" && type.name === "optional_type";
}

/** As users write it: `list(map(string, dyn))`. */
export function formatType(type: Type): string {
  if (type.kind === "null") return "null";
  if (type.kind === "wrapper") return `wrapper(${formatType(type.params[0] ?? dynType)})`;
  if (type.params.length === 0) return type.name;
  return `${type.name}(${type.params.map(formatType).join(", ")})`;
}

export function sameType(a: Type, b: Type): boolean {
  return (
    a.kind === b.kind &&
    a.name === b.name &&
    a.params.length === b.params.length &&
    a.params.every((param, index) => sameType(param, b.params[index] ?? dynType))
  );
}

/** What the parameters of functions were found to be, by name. */
export type Mapping = ReadonlyMap<string, Type>;

/** The mapping under which values of `from` may be given where `to` is asked for; undefined when they may not. */
export function assign(mapping: Mapping, from: readonly Type[], to: readonly Type[]): Map<string, Type> | undefined {
  const next = new Map(mapping);
  return from.length === to.length && from.every((type, index) => fits(next, type, to[index] ?? dynType))
    ? next
    : undefined;
}

function fits(mapping: Map<string, Type>, a: Type, b: Type): boolean {
  if (b.kind === "param") {
    const result = bind(mapping, a, b);
    if (result === "valid") return true;
    if (result === "taken") return false;
  }
  if (a.kind === "param") return bind(mapping, b, a) === "valid";
  if (a.kind === "dyn" || b.kind === "dyn") return true;
  if (a.kind === "null") return takesNull(b);
  if (b.kind === "null") return takesNull(a);
  if (a.kind === "wrapper" || b.kind === "wrapper") {
    const left = a.kind === "wrapper" ? (a.params[0] ?? dynType) : a;
    const right = b.kind === "wrapper" ? (b.params[0] ?? dynType) : b;
    return left.kind === right.kind;
  }
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "type":
      return true;
    case "list":
    case "map":
    case "opaque":
      return (
        a.name === b.name &&
        a.params.length === b.params.length &&
        a.params.every((param, index) => fits(mapping, param, b.params[index] ?? dynType))
      );
    default:
      return a.name === b.name;
  }
}

function takesNull(type: Type): boolean {
  return ["any", "duration", "null", "object", "opaque", "timestamp", "wrapper"].includes(type.kind);
}

/** Takes `type` for a parameter, or for what is more general of it and what was taken before. */
function bind(mapping: Map<string, Type>, type: Type, param: Type): "free" | "taken" | "valid" {
  if (sameType(type, param)) return "valid";
  const before = mapping.get(param.name);
  if (before) {
    if (sameType(type, before)) return "valid";
    if (!fits(mapping, type, before)) return "taken";
    const next = mostGeneral(type, before);
    if (!occurs(mapping, param, next)) mapping.set(param.name, next);
    return "valid";
  }
  if (occurs(mapping, param, type)) return "free";
  mapping.set(param.name, type);
  return "valid";
}

function occurs(mapping: Mapping, param: Type, type: Type): boolean {
  if (type.kind === "param") {
    if (type.name === param.name) return true;
    const next = mapping.get(type.name);
    return next !== undefined && occurs(mapping, param, next);
  }
  return type.params.some((inner) => occurs(mapping, param, inner));
}

export function mostGeneral(a: Type, b: Type): Type {
  return lessSpecific(a, b) ? a : b;
}

function lessSpecific(a: Type, b: Type): boolean {
  if (a.kind === "dyn" || a.kind === "param") return true;
  if (b.kind === "dyn" || b.kind === "param") return false;
  if (a.kind === "null" || b.kind === "null") return b.kind === "null";
  if (a.kind === "wrapper" && b.kind !== "wrapper") return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.kind === "type" || a.params.every((param, index) => lessSpecific(param, b.params[index] ?? dynType));
}

/** The type with its parameters replaced by what they are; those that stay open become `dyn` if asked. */
export function substitute(mapping: Mapping, type: Type, openToDyn = false): Type {
  if (type.kind === "param") {
    const bound = mapping.get(type.name);
    if (bound) return substitute(mapping, bound, openToDyn);
    return openToDyn ? dynType : type;
  }
  if (type.params.length === 0) return type;
  return { ...type, params: type.params.map((param) => substitute(mapping, param, openToDyn)) };
}

const named: Readonly<Record<string, Type>> = {
  any: dynType,
  bool: boolType,
  bytes: bytesType,
  double: doubleType,
  duration: durationType,
  dyn: dynType,
  int: intType,
  null: nullType,
  string: stringType,
  timestamp: timestampType,
  type: typeType(),
  uint: uintType,
};

/**
 * Reads a type as signatures write it: `int`, `list<string>`, `map<K, V>`, `optional<T>`, `net.IP`. One capital letter
 * is a parameter, a name that is not known an opaque type.
 */
export function parseType(text: string): Type {
  const source = text.replaceAll(" ", "");
  let at = 0;
  const parse = (): Type => {
    const name = /^[\w.]+/.exec(source.slice(at))?.[0];
    if (name === undefined) throw new Error(`no type at ${at} of ${text}`);
    at += name.length;
    const params: Type[] = [];
    if (source[at] === "<") {
      do {
        at++;
        params.push(parse());
      } while (source[at] === ",");
      at++;
    }
    if (name === "list") return listType(params[0] ?? dynType);
    if (name === "map") return mapType(params[0] ?? dynType, params[1] ?? dynType);
    if (name === "optional") return optionalType(params[0] ?? dynType);
    if (name === "type" && params[0]) return typeType(params[0]);
    if (/^[A-Z]$/.test(name)) return paramType(name);
    return named[name] ?? opaqueType(name, ...params);
  };
  const type = parse();
  if (at !== source.length) throw new Error(`more than a type: ${text}`);
  return type;
}
