import { anchorsOf, type Anchor } from "./compile/anchors.ts";
import { always, chain, type Bound, type BoundOperand } from "./compile/bound.ts";
import { Compiler } from "./compile/compiler.ts";
import { TextMatcher } from "./compile/matcher.ts";
import { readOperand, type Frame, type Slot } from "./compile/reader.ts";
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

/** Fewer rules that share a part are quicker each by itself, the parts that decide most first. */
const sharedFrom = 8;

/** Rules of one type of event. */
interface Program {
  /** Rules that hold only where one of their texts is found: asked where it is. */
  readonly anchored: Anchored | undefined;
  readonly others: Tree;
}

/** What several rules need is asked once, and where it fails they are passed over together. */
type Tree = readonly (Guarded | Leaf)[];

interface Guarded {
  readonly guard: () => boolean;
  readonly inner: Tree;
}

interface Leaf {
  readonly guard: () => boolean;
  readonly rule: Rule;
  /** Place among the rules of the source. */
  readonly order: number;
}

interface Candidate {
  readonly rule: Rule;
  readonly order: number;
  /** All of them have to hold. */
  readonly parts: readonly Bound[];
}

class SourceEngine {
  readonly #rules: readonly Rule[];
  readonly #frame: Frame = { event: nothing, stamp: 0 };
  readonly #compiler: Compiler;
  readonly #programs = new Map<string, Program>();
  /** Used again for every event. */
  readonly #found: Leaf[] = [];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#compiler = new Compiler(this.#frame);
  }

  match(event: RuleEvent): readonly Match[] {
    const program = this.#programs.get(event.type) ?? this.#program(event.type);
    if (program.others.length === 0 && program.anchored === undefined) return none;
    const frame = this.#frame;
    frame.event = event;
    // Stamps are kept in 32 bits; 0 is "never".
    frame.stamp = frame.stamp === 0xffff_ffff ? 1 : frame.stamp + 1;
    const found = this.#found;
    found.length = 0;
    program.anchored?.collect(frame.stamp, found);
    collect(program.others, found);
    if (found.length === 0) return none;
    return found.toSorted((a, b) => a.order - b.order).map(({ rule }) => new Found(rule, event));
  }

  #program(type: string): Program {
    const others: Candidate[] = [];
    const anchored: { leaf: Leaf; anchors: readonly Anchor[] }[] = [];
    // What is of the process is kept for it, which is quicker than to look for it; one that executes is a new one.
    const isExec = type.startsWith("exec");
    this.#rules.forEach((rule, order) => {
      const rest = fold(rule.condition, type);
      if (rest.kind === "constant" && !rest.value) return;
      const candidate = { rule, order, parts: rest.kind === "and" ? rest.parts : [rest] };
      const anchors = anchorsOf(rest, ({ isProcess }) => isExec || !isProcess);
      if (anchors) anchored.push({ leaf: this.#leaf(candidate), anchors });
      else others.push(candidate);
    });
    const program = {
      anchored: anchored.length > 0 ? new Anchored(anchored, (field) => this.#compiler.slot(field)) : undefined,
      others: this.#group(others),
    };
    if (this.#programs.size < programsKept) this.#programs.set(type, program);
    return program;
  }

  /** Puts the rules that share a part behind it: the part that saves most, then again among those and among the others. */
  #group(candidates: readonly Candidate[]): Tree {
    const shared = new Map<string, { part: Bound; count: number }>();
    for (const part of candidates.flatMap(({ parts }) => parts)) {
      const known = shared.get(part.key);
      if (known) known.count++;
      else shared.set(part.key, { part, count: 1 });
    }
    let best: { part: Bound; saved: number } | undefined;
    for (const { part, count } of shared.values()) {
      const saved = (count - 1) * (1 - this.#compiler.compile(part).chance);
      if (count >= sharedFrom && saved > (best?.saved ?? 0)) best = { part, saved };
    }
    if (!best) return candidates.map((candidate) => this.#leaf(candidate));
    const { key } = best.part;
    const isBehind = ({ parts }: Candidate): boolean => parts.some((part) => part.key === key);
    const behind = candidates
      .filter(isBehind)
      .map((candidate) => ({ ...candidate, parts: candidate.parts.filter((part) => part.key !== key) }));
    const others = candidates.filter((candidate) => !isBehind(candidate));
    return [{ guard: this.#compiler.compile(best.part).holds, inner: this.#group(behind) }, ...this.#group(others)];
  }

  #leaf({ rule, order, parts }: Candidate): Leaf {
    return { rule, order, guard: this.#compiler.compile(parts.length === 0 ? always : chain("and", parts)).holds };
  }
}

/** Rules by the texts of fields without which none of them holds: most events have none of these. */
class Anchored {
  readonly #fields: { slot: Slot; matcher: TextMatcher }[] = [];
  readonly #leaves: Leaf[];
  /** The event that each was asked about last. */
  readonly #asked: Uint32Array;
  #stamp = 0;
  #found: Leaf[] = [];

  constructor(
    anchored: readonly { leaf: Leaf; anchors: readonly Anchor[] }[],
    slotOf: (field: Anchor["field"]) => Slot,
  ) {
    this.#leaves = anchored.map(({ leaf }) => leaf);
    this.#asked = new Uint32Array(anchored.length);
    const matchers = new Map<Slot, TextMatcher>();
    anchored.forEach(({ anchors }, id) => {
      for (const { field, kind, text } of anchors) {
        const slot = slotOf(field);
        const matcher = matchers.get(slot) ?? new TextMatcher();
        matchers.set(slot, matcher);
        matcher.add(kind, text, id);
      }
    });
    for (const [slot, matcher] of matchers) this.#fields.push({ slot, matcher });
  }

  collect(stamp: number, found: Leaf[]): void {
    this.#stamp = stamp;
    this.#found = found;
    for (const { slot, matcher } of this.#fields) {
      const { value } = slot;
      if (value !== undefined) matcher.look(value as string, this.#ask);
    }
  }

  readonly #ask = (id: number): void => {
    if (this.#asked[id] === this.#stamp) return;
    this.#asked[id] = this.#stamp;
    const leaf = this.#leaves[id];
    if (leaf?.guard() === true) this.#found.push(leaf);
  };
}

function collect(tree: Tree, found: Leaf[]): void {
  for (let at = 0; at < tree.length; at++) {
    const part = tree[at];
    if (part === undefined || !part.guard()) continue;
    if ("inner" in part) collect(part.inner, found);
    else found.push(part);
  }
}

const none: readonly Match[] = Object.freeze([]);
const nothing: RuleEvent = { source: "", type: "", get: () => undefined };

/** A class, because its fields are seldom asked for: most of what matches is the same again. */
class Found implements Match {
  readonly rule: Rule;
  readonly output: string;
  readonly #read: (operand: BoundOperand) => unknown;

  constructor(rule: Rule, event: RuleEvent) {
    this.rule = rule;
    this.#read = (operand) => readOperand(operand, event);
    this.output = formatOutput(rule.output, this.#read);
  }

  get fields(): Match["fields"] {
    return outputFields(this.rule.output, this.#read);
  }
}

function typesOfAll(rules: readonly Rule[]): readonly string[] | undefined {
  if (rules.some(({ eventTypes }) => eventTypes === undefined)) return undefined;
  return [...new Set(rules.flatMap(({ eventTypes }) => eventTypes ?? []))].toSorted();
}
