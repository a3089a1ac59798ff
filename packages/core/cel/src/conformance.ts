/** CEL's own conformance suite, as the npm package `@bufbuild/cel-spec` holds it. */
import { tests as root } from "@bufbuild/cel-spec/testdata/conformance.js";
import { compile } from "./compile.ts";
import { createEnvironment, define, type Overload } from "./environment.ts";
import { CelError } from "./errors.ts";
import { allLibraries } from "./libraries/index.ts";
import {
  anyType,
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  formatType,
  intType,
  listType,
  mapType,
  nullType,
  objectType,
  opaqueType,
  optionalType,
  paramType,
  stringType,
  timestampType,
  typeType,
  uintType,
  wrapperType,
  type Type,
} from "./types.ts";
import { CelMap, Double, equals, toInt, typeOf, TypeValue, Uint, type Value } from "./values.ts";
import { parseDuration, parseTimestamp } from "./time.ts";

export interface SuiteResult {
  passed: number;
  failures: string[];
  /** Names of tests that were not run, by the reason. */
  skipped: Map<string, string[]>;
}

/** Why a test cannot be asked of an implementation that has no protobuf messages. */
const reasons: [reason: string, pattern: RegExp][] = [
  [
    "messages of protobuf schemas",
    /TestAllTypes|NestedTestAllTypes|conformance\.proto[23]|TestRequired|proto\.(?:has|get)Ext/,
  ],
  ["enumerations of protobuf schemas", /GlobalEnum|NestedEnum|enumValue/],
  [
    "messages of google.protobuf",
    /google\.protobuf\.(?!Timestamp\b(?! ?\{)|Duration\b(?! ?\{))\w+|[a-z0-9]Value ?\{|NullValue/,
  ],
];

/** Runs all that needs no protobuf messages. */
export function runConformance(): SuiteResult {
  const result: SuiteResult = { passed: 0, failures: [], skipped: new Map() };
  const visit = (suite: Suite, path: string): void => {
    for (const inner of suite.suites ?? []) visit(inner, path === "" ? inner.name : `${path}/${inner.name}`);
    for (const { original } of suite.tests ?? []) {
      const name = `${path}/${original.name ?? original.expr}`;
      const reason = reasons.find(([, pattern]) => pattern.test(JSON.stringify(original)))?.[0];
      if (reason !== undefined) {
        result.skipped.set(reason, [...(result.skipped.get(reason) ?? []), name]);
        continue;
      }
      const problem = problemOf(original);
      if (problem === undefined) result.passed++;
      else result.failures.push(`${name}: ${original.expr}\n    ${problem}`);
    }
  };
  visit(root, "");
  return result;
}

interface Suite {
  name: string;
  suites?: Suite[];
  tests?: { original: Test }[];
}
interface Test {
  name?: string;
  expr: string;
  disableCheck?: boolean;
  checkOnly?: boolean;
  container?: string;
  typeEnv?: Declaration[];
  bindings?: Record<string, { value: WireValue }>;
  value?: WireValue;
  evalError?: unknown;
  anyEvalErrors?: unknown;
  typedResult?: { result?: WireValue; deducedType?: WireType };
}
interface Declaration {
  name: string;
  ident?: { type: WireType };
  function?: { overloads: { params?: WireType[]; resultType: WireType; isInstanceFunction?: boolean }[] };
}

function problemOf(test: Test): string | undefined {
  const declared = (test.typeEnv ?? []).filter((item) => item.ident);
  const variables = Object.fromEntries(declared.map(({ name, ident }) => [name, readType(ident?.type ?? {})]));
  // Without a check there are no declarations either.
  for (const name of Object.keys(test.bindings ?? {})) variables[name] ??= dynType;
  const environment = createEnvironment({
    container: test.container ?? "",
    variables,
    functions: [...allLibraries, ...(test.typeEnv ?? []).flatMap(functionsOf)],
  });
  const bindings = Object.entries(test.bindings ?? {}).map(([name, { value }]) => [name, readValue(value)] as const);
  try {
    const program = compile(test.expr, environment, { checked: test.disableCheck !== true });
    const deduced = test.typedResult?.deducedType;
    if (deduced && formatType(program.type) !== formatType(readType(deduced))) {
      return `is of type ${formatType(program.type)}, not ${formatType(readType(deduced))}`;
    }
    if (test.checkOnly === true || (deduced && test.typedResult?.result === undefined)) return undefined;
    const value = program.evaluate(Object.fromEntries(bindings));
    if (test.evalError !== undefined || test.anyEvalErrors !== undefined) return `no error, but ${show(value)}`;
    const wanted = readValue(test.value ?? test.typedResult?.result ?? { boolValue: true });
    return same(value, wanted) ? undefined : `${show(value)}, not ${show(wanted)}`;
  } catch (error) {
    if (!(error instanceof CelError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    const wanted = test.evalError !== undefined || test.anyEvalErrors !== undefined;
    return wanted ? undefined : `${error.code}: ${error.message}`;
  }
}

function functionsOf({ name, function: fn }: Declaration): Overload[] {
  return (fn?.overloads ?? []).map(({ params = [], resultType, isInstanceFunction = false }) => ({
    ...define("declared(): dyn", () => null),
    name,
    member: isInstanceFunction,
    args: params.map(readType),
    result: readType(resultType),
  }));
}

/** Of the same type too, and NaN the same as NaN. */
function same(a: Value, b: Value): boolean {
  if (a instanceof Double && b instanceof Double && Number.isNaN(b.value)) return Number.isNaN(a.value);
  return typeOf(a).name === typeOf(b).name && equals(a, b);
}

function show(value: Value): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `${item}n` : item));
  return `${typeOf(value).name} ${text}`;
}

type WireValue = Record<string, unknown>;

function readValue(wire: WireValue): Value {
  const [[kind, raw] = ["nullValue", null]] = Object.entries(wire);
  switch (kind) {
    case "boolValue":
    case "stringValue":
      return raw;
    case "nullValue":
      return null;
    case "int64Value":
      return toInt(BigInt(raw as string));
    case "uint64Value":
      return new Uint(BigInt(raw as string));
    case "doubleValue":
      return new Double(Number(raw));
    case "bytesValue":
      return new Uint8Array(Buffer.from(raw as string, "base64"));
    case "typeValue":
      return new TypeValue(raw as string);
    case "listValue":
      return ((raw as { values?: WireValue[] }).values ?? []).map(readValue);
    case "mapValue": {
      const { entries = [] } = raw as { entries?: { key: WireValue; value: WireValue }[] };
      return CelMap.from(entries.map(({ key, value }) => [readValue(key), readValue(value)] as const));
    }
    case "objectValue": {
      const message = raw as { "@type": string; value: string };
      if (message["@type"].endsWith("google.protobuf.Duration")) return parseDuration(message.value);
      if (message["@type"].endsWith("google.protobuf.Timestamp")) return parseTimestamp(message.value);
      throw new Error(`no value of ${message["@type"]}`);
    }
    default:
      throw new Error(`no value of kind ${kind}`);
  }
}

type WireType = Record<string, unknown>;

const primitives: Readonly<Record<string, Type>> = {
  BOOL: boolType,
  BYTES: bytesType,
  DOUBLE: doubleType,
  INT64: intType,
  STRING: stringType,
  UINT64: uintType,
};
const wellKnown: Readonly<Record<string, Type>> = { ANY: anyType, DURATION: durationType, TIMESTAMP: timestampType };
const messages: Readonly<Record<string, Type>> = {
  "google.protobuf.Duration": durationType,
  "google.protobuf.Timestamp": timestampType,
};

function readType(wire: WireType): Type {
  const [[kind, raw] = ["dyn", null]] = Object.entries(wire);
  switch (kind) {
    case "primitive":
      return primitives[raw as string] ?? dynType;
    case "wellKnown":
      return wellKnown[raw as string] ?? dynType;
    case "wrapper":
      return wrapperType(primitives[raw as string] ?? dynType);
    case "null":
      return nullType;
    case "listType":
      return listType(readType((raw as { elemType?: WireType }).elemType ?? {}));
    case "mapType": {
      const { keyType = {}, valueType = {} } = raw as { keyType?: WireType; valueType?: WireType };
      return mapType(readType(keyType), readType(valueType));
    }
    case "messageType":
      return messages[raw as string] ?? objectType(raw as string);
    case "typeParam":
      return paramType(raw as string);
    case "type":
      return typeType(raw === null ? undefined : readType(raw as WireType));
    case "abstractType": {
      const { name, parameterTypes = [] } = raw as { name: string; parameterTypes?: WireType[] };
      const params = parameterTypes.map(readType);
      return name === "optional_type" ? optionalType(params[0] ?? dynType) : opaqueType(name, ...params);
    }
    default:
      return dynType;
  }
}
