import { bigAt, isObject, textAt, type Json } from "../json.ts";

/** One argument of a function: `{"string_arg": "/etc"}`, with a `label` where the policy gives one. */
export type Argument = Json;

const texts = ["string_arg"];
const numbers = ["int_arg", "uint_arg", "size_arg", "long_arg"];

export function textOf(argument: Argument): string | undefined {
  const name = texts.find((name) => name in argument);
  return name === undefined ? undefined : textAt(argument[name]);
}

/** As a register has it. */
export function numberOf(argument: Argument): bigint | undefined {
  const name = numbers.find((name) => name in argument);
  const value = name === undefined ? undefined : bigAt(argument[name]);
  return value === undefined ? undefined : BigInt.asUintN(64, value);
}

/** The first argument of a kind. */
export function firstOf(args: readonly Argument[], ...kinds: string[]): Json | undefined {
  for (const argument of args) {
    for (const kind of kinds) if (isObject(argument[kind])) return argument[kind];
  }
  return undefined;
}

/** The numbers among them, in their order. */
export function numbersOf(args: readonly Argument[]): number[] {
  return args.flatMap((argument) => {
    const value = numberOf(argument);
    return value === undefined ? [] : [Number(BigInt.asIntN(64, value))];
  });
}

/** What was written, as far as Tetragon tells it. */
export function bytesText(args: readonly Argument[]): string {
  for (const argument of args) {
    const cut = argument["truncated_bytes_arg"];
    const bytes = textAt(isObject(cut) ? cut["bytes_arg"] : argument["bytes_arg"], 8192);
    if (bytes !== "") return Buffer.from(bytes, "base64").toString("utf8").slice(0, 4096);
  }
  return "";
}
