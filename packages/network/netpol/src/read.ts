import type { Problem } from "./error.ts";
import { limits } from "./error.ts";

/** A value somewhere inside a foreign object, and where it is. What is not as it should be is reported with the path. */
export interface Node {
  readonly value: unknown;
  readonly path: string;
  readonly report: Report;
}

/** Takes note of a problem of the object that is being read. */
export interface Report {
  error(path: string, reason: string): void;
  warning(path: string, reason: string): void;
}

export function reporter(object: string, source: string | null, into: Problem[]): Report {
  const add = (severity: Problem["severity"], path: string, reason: string): void => {
    into.push({ severity, object, path, reason, source });
  };
  return {
    error: (path, reason) => add("error", path, reason),
    warning: (path, reason) => add("warning", path, reason),
  };
}

export function fail(node: Node, reason: string): void {
  node.report.error(node.path, reason);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The field of an object; null and absent are the same, as for the API server. */
export function field(node: Node, name: string): Node | undefined {
  if (!isRecord(node.value) || !Object.hasOwn(node.value, name)) return undefined;
  const value = node.value[name];
  if (value === null || value === undefined) return undefined;
  return { value, path: node.path === "" ? name : `${node.path}.${name}`, report: node.report };
}

/**
 * That it is an object with no other fields than these. An unknown field is an error, because it is a typing error in
 * a security rule (`kubectl` refuses it too); with `unknown: "ignore"` the caller looks itself.
 */
export function expectObject(node: Node, fields: readonly string[], unknown: "refuse" | "ignore" = "refuse"): boolean {
  if (!isRecord(node.value)) {
    fail(node, `must be an object, not ${typeName(node.value)}`);
    return false;
  }
  if (unknown === "ignore") return true;
  const others = Object.keys(node.value).filter((key) => !fields.includes(key));
  for (const key of others) {
    node.report.error(node.path === "" ? key : `${node.path}.${key}`, `no such field; known are ${fields.join(", ")}`);
  }
  return others.length === 0;
}

/** The items of a list; none when it is absent or not a list. */
export function items(node: Node | undefined, max: number = limits.list): Node[] {
  if (node === undefined) return [];
  if (!Array.isArray(node.value)) {
    fail(node, `must be a list, not ${typeName(node.value)}`);
    return [];
  }
  if (node.value.length > max) {
    fail(node, `has ${node.value.length} items; at most ${max} are allowed`);
    return [];
  }
  return node.value.map((value: unknown, index) => ({ value, path: `${node.path}[${index}]`, report: node.report }));
}

export function text(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (typeof node.value === "string") return node.value;
  fail(node, `must be a string, not ${typeName(node.value)}`);
  return undefined;
}

export function integer(node: Node | undefined, from: number, to: number): number | undefined {
  if (node === undefined) return undefined;
  const { value } = node;
  if (typeof value === "number" && Number.isInteger(value) && value >= from && value <= to) return value;
  fail(node, `must be a whole number from ${from} to ${to}, not ${show(value)}`);
  return undefined;
}

export function oneOf<const T extends string>(node: Node | undefined, values: readonly T[]): T | undefined {
  const found = values.find((value) => value === node?.value);
  if (node !== undefined && found === undefined)
    fail(node, `must be one of ${values.join(", ")}, not ${show(node.value)}`);
  return found;
}

/** A foreign value for a message: short, on one line. */
export function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
