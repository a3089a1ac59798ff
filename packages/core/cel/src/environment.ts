import { MessageValue, TypeValue, type Value } from "./values.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  nullType,
  parseType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type Type,
} from "./types.ts";

/** One way to call a function. */
export interface Overload {
  /** `size`, `math.ceil`, `_+_`. */
  readonly name: string;
  /** Called on its first argument: `text.charAt(0)`. */
  readonly member: boolean;
  /** With the receiver. */
  readonly args: readonly Type[];
  readonly result: Type;
  /** Raises a `CelError` when it fails; the arguments are of the declared types. */
  readonly run: (...args: never[]) => Value;
  /** What a call costs at run time; 1 unless told. */
  readonly cost?: Cost | undefined;
}

/** Of a call, by what it gave and was given. */
export type Cost = (result: Value, ...args: Value[]) => number;

/**
 * Declares an overload by its signature: `math.ceil(double): double`, or with a receiver `(string).charAt(int): string`.
 * Types are written as `parseType` reads them.
 */
export function define(signature: string, run: (...args: never[]) => Value, cost?: Cost): Overload {
  const match = /^(?:\((.*?)\)\.)?([^\s()]+)\((.*)\): (.+)$/.exec(signature);
  if (!match) throw new Error(`no signature: ${signature}`);
  const [, receiver, name = "", args = "", result = ""] = match;
  return {
    name,
    member: receiver !== undefined,
    args: [...(receiver === undefined ? [] : [receiver]), ...splitTypes(args)].map(parseType),
    result: parseType(result),
    run,
    ...(cost ? { cost } : {}),
  };
}

function splitTypes(text: string): string[] {
  return text === "" ? [] : text.split(/,\s*(?![^<]*>)/);
}

/** A message that expressions may write: `Object{spec: …}`. */
export interface MessageType {
  readonly name: string;
  readonly type: Type;
  /** None where any field may be given. */
  readonly fields?: Readonly<Record<string, Type>>;
  /** What a literal gives; a `MessageValue` unless told. Raises where a value is not for its field. */
  readonly make?: (fields: Readonly<Record<string, Value>>) => Value;
}

export interface EnvironmentOptions {
  /** Types by name: `{ object: "dyn", "net.ip": parseType("net.IP") }`. */
  variables?: Readonly<Record<string, Type | string>>;
  /** Where names are looked for first, as a package would be. */
  container?: string;
  functions?: readonly Overload[];
  messages?: readonly MessageType[];
  /** Names of types that are values, beside those of the functions. */
  typeNames?: readonly string[];
  /** Whether the elements of a list literal must be of one type; Kubernetes wants it. */
  homogeneous?: boolean;
}

export interface Environment {
  readonly container: string;
  readonly variables: ReadonlyMap<string, Type>;
  readonly functions: ReadonlyMap<string, readonly Overload[]>;
  readonly messages: ReadonlyMap<string, MessageType>;
  readonly constants: ReadonlyMap<string, { readonly type: Type; readonly value: Value }>;
  readonly homogeneous: boolean;
}

const typeConstants: Readonly<Record<string, Type>> = {
  bool: boolType,
  bytes: bytesType,
  double: doubleType,
  "google.protobuf.Duration": durationType,
  "google.protobuf.Timestamp": timestampType,
  int: intType,
  list: parseType("list<dyn>"),
  map: parseType("map<dyn, dyn>"),
  null_type: nullType,
  optional_type: parseType("optional<dyn>"),
  string: stringType,
  type: typeType(),
  uint: uintType,
};

/** What expressions may use. Raises when two overloads of a function could not be told apart. */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const functions = new Map<string, Overload[]>();
  const constants = new Map<string, { type: Type; value: Value }>();
  const addType = (name: string, type: Type): void => {
    constants.set(name, { type: typeType(type), value: new TypeValue(name) });
  };
  for (const [name, type] of Object.entries(typeConstants)) addType(name, type);
  for (const overload of options.functions ?? []) {
    const others = functions.get(overload.name) ?? [];
    functions.set(overload.name, [...others, overload]);
    for (const type of [...overload.args, overload.result]) if (type.kind === "opaque") addType(type.name, type);
  }
  for (const name of options.typeNames ?? []) addType(name, parseType(name));
  const messages = new Map((options.messages ?? []).map((message) => [message.name, message]));
  for (const { name, type } of messages.values()) if (!constants.has(name)) addType(name, type);
  const variables = Object.entries(options.variables ?? {}).map(
    ([name, type]) => [name, typeof type === "string" ? parseType(type) : type] as const,
  );
  return {
    container: options.container ?? "",
    variables: new Map(variables),
    functions,
    messages,
    constants,
    homogeneous: options.homogeneous ?? false,
  };
}

/** The same with more variables. */
export function extendEnvironment(
  environment: Environment,
  variables: Readonly<Record<string, Type | string>>,
): Environment {
  const added = Object.entries(variables).map(
    ([name, type]) => [name, typeof type === "string" ? parseType(type) : type] as const,
  );
  return { ...environment, variables: new Map([...environment.variables, ...added]) };
}

/** Names under which something may be found, the innermost container first; a leading dot means the name as it is. */
export function candidates(container: string, name: string): string[] {
  if (name.startsWith(".")) return [name.slice(1)];
  const parts = container === "" ? [] : container.split(".");
  return [...parts.map((_, index) => [...parts.slice(0, parts.length - index), name].join(".")), name];
}

export function makeMessage(message: MessageType, fields: Readonly<Record<string, Value>>): Value {
  return message.make ? message.make(fields) : new MessageValue(message.name, fields);
}
