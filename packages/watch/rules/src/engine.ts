import type { Bound } from "./compile/bound.ts";
import { Compiler } from "./compile/compiler.ts";
import { readOperand, type Frame } from "./compile/reader.ts";
import { fold } from "./compile/types.ts";
import type { RuleEvent, Scalar } from "./event.ts";
import { formatOutput, outputFields } from "./format.ts";
import type { Rule, Ruleset } from "./ruleset.ts";

/** A rule that fired. */
export interface Match {
  readonly rule: Rule;
  /** The rule's output with the event's fields put in. Their bytes are as they came: escape them where they are shown. */
  readonly output: string;
  /** The fields of the output by name. */
  readonly fields: Readonly<Record<string, Scalar>>;
}

export interface Engine {
  /** The enabled rules that hold of an event, in their order. */
  match(event: RuleEvent): readonly Match[];
  /** The types of system call that rules ask for, sorted; undefined where one asks for all. */
  readonly eventTypes: readonly string[] | undefined;
}

/**
 * Compiles the enabled rules of a set. Work is done when the first event of a type comes; an engine is not to be used
 * inside of an event's `get`.
 */
export function createEngine({ rules }: Ruleset): Engine {
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  const sources = new Map<string, SourceEngine>();
  for (const source of new Set(enabled.map((rule) => rule.source))) {
    sources.set(source, new SourceEngine(enabled.filter((rule) => rule.source === source)));
  }
  return {
    eventTypes: typesOfAll(enabled.filter(({ source }) => source === "syscall")),
    match(event) {
      const engine = sources.get(event.source);
      return engine === undefined ? none : engine.match(event);
    },
  };
}

/** Programs are kept for that many types; what comes with more of them is hostile, and compiled each time. */
const programsKept = 2000;

type Program = readonly { readonly rule: Rule; readonly holds: () => boolean }[];

class SourceEngine {
  readonly #rules: readonly Rule[];
  readonly #frame: Frame = { event: nothing, stamp: 0 };
  readonly #compiler: Compiler;
  readonly #programs = new Map<string, Program>();

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#compiler = new Compiler(
      this.#frame,
      rules.map(({ condition }) => condition),
    );
  }

  match(event: RuleEvent): readonly Match[] {
    const program = this.#programs.get(event.type) ?? this.#program(event.type);
    if (program.length === 0) return none;
    const frame = this.#frame;
    frame.event = event;
    // Stamps are kept in 32 bits; 0 is "never".
    frame.stamp = frame.stamp === 0xffff_ffff ? 1 : frame.stamp + 1;
    let matches: Match[] | undefined;
    for (let at = 0; at < program.length; at++) {
      const part = program[at];
      if (part !== undefined && part.holds()) (matches ??= []).push(matchOf(part.rule, event));
    }
    return matches ?? none;
  }

  #program(type: string): Program {
    const program: { rule: Rule; holds: () => boolean }[] = [];
    for (const rule of this.#rules) {
      const rest: Bound = fold(rule.condition, type);
      if (rest.kind !== "constant" || rest.value) program.push({ rule, holds: this.#compiler.compile(rest).holds });
    }
    if (this.#programs.size < programsKept) this.#programs.set(type, program);
    return program;
  }
}

const none: readonly Match[] = Object.freeze([]);
const nothing: RuleEvent = { source: "", type: "", get: () => undefined };

function matchOf(rule: Rule, event: RuleEvent): Match {
  const read = (operand: Parameters<typeof readOperand>[0]): unknown => readOperand(operand, event);
  return { rule, output: formatOutput(rule.output, read), fields: outputFields(rule.output, read) };
}

function typesOfAll(rules: readonly Rule[]): readonly string[] | undefined {
  if (rules.some(({ eventTypes }) => eventTypes === undefined)) return undefined;
  return [...new Set(rules.flatMap(({ eventTypes }) => eventTypes ?? []))].toSorted();
}
