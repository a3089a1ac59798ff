import type { ProcessMemory } from "../event.ts";
import { isOperand, type Bound, type BoundChain, type BoundOperand, type BoundTest } from "./bound.ts";
import { Slot, type Frame } from "./reader.ts";
import { pairTest, singleTest, type Single } from "./tests.ts";

/** A compiled condition. */
export interface Node {
  readonly holds: () => boolean;
  /** What one call costs, in about nanoseconds. */
  readonly cost: number;
  /** How often it holds, from 0 to 1: a guess from the operator. */
  readonly chance: number;
}

/**
 * Makes closures of conditions. Equal parts of all rules are one closure whose answer is kept for the event; parts that
 * depend on the process only are kept for the process. In a chain the parts that decide most for the least cost come first.
 */
export class Compiler {
  readonly #frame: Frame;
  readonly #slots = new Map<string, Slot>();
  readonly #nodes = new Map<string, Node>();
  #units = 0;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  compile(bound: Bound): Node {
    const known = this.#nodes.get(bound.key);
    if (known) return known;
    const node = isProcessOnly(bound) ? this.#onceForProcess(this.#make(bound)) : this.#onceForEvent(this.#make(bound));
    this.#nodes.set(bound.key, node);
    return node;
  }

  #make(bound: Bound): Node {
    switch (bound.kind) {
      case "constant": {
        const { value } = bound;
        return { holds: () => value, cost: 0, chance: value ? 1 : 0 };
      }
      case "not": {
        const part = this.#inner(bound.part);
        const { holds } = part;
        return { holds: () => !holds(), cost: part.cost, chance: 1 - part.chance };
      }
      case "and":
      case "or":
        return this.#chain(bound);
      case "test":
        return this.#test(bound);
    }
  }

  /** Inside of what is kept for the process nothing else is kept. */
  #inner(bound: Bound): Node {
    return isProcessOnly(bound) ? this.#make(bound) : this.compile(bound);
  }

  #chain(bound: BoundChain): Node {
    const isAnd = bound.kind === "and";
    if (isProcessOnly(bound))
      return link(
        isAnd,
        bound.parts.map((part) => this.#make(part)),
      );
    const ofProcess = bound.parts.filter(isProcessOnly);
    const others = bound.parts.filter((part) => !isProcessOnly(part)).map((part) => this.compile(part));
    const [first] = ofProcess;
    if (ofProcess.length > 1) {
      const key = `(${ofProcess.map((part) => part.key).join(` ${bound.kind} `)})`;
      others.push(this.compile({ kind: bound.kind, parts: ofProcess, key }));
    } else if (first) others.push(this.compile(first));
    return link(isAnd, others);
  }

  #onceForEvent(node: Node): Node {
    if (node.cost < keepAbove) return node;
    const { holds } = node;
    const frame = this.#frame;
    let stamp = 0;
    let answer = false;
    return {
      holds: () => {
        if (stamp !== frame.stamp) {
          answer = holds();
          stamp = frame.stamp;
        }
        return answer;
      },
      cost: node.cost,
      chance: node.chance,
    };
  }

  #onceForProcess(node: Node): Node {
    const { holds } = node;
    const frame = this.#frame;
    const id = this.#units++;
    const word = Math.floor(id / answersInWord);
    const [isKnown, isTrue] = [1 << ((id % answersInWord) * 2), 2 << ((id % answersInWord) * 2)];
    return {
      holds: () => {
        const { process } = frame.event;
        if (process === undefined) return holds();
        const answers =
          process.owner === this && process.answers !== undefined ? process.answers : this.#remember(process);
        const before = answers[word] ?? 0;
        if ((before & isKnown) !== 0) return (before & isTrue) !== 0;
        const answer = holds();
        // Those that were compiled since have no place yet, and others may have been answered meanwhile.
        while (answers.length <= word) answers.push(0);
        answers[word] = (answers[word] ?? 0) | isKnown | (answer ? isTrue : 0);
        return answer;
      },
      cost: 4,
      chance: node.chance,
    };
  }

  /** Two bits for each condition of a process: whether it is known, and whether it holds. Small, as there are many. */
  #remember(process: ProcessMemory): number[] {
    const answers: number[] = [];
    for (let id = 0; id < this.#units; id += answersInWord) answers.push(0);
    process.owner = this;
    process.answers = answers;
    return answers;
  }

  #test(test: BoundTest): Node {
    const { left, operator, right } = test;
    const slot = this.slot(left);
    const chance = chanceOf(test);
    if (operator === "exists") return { holds: () => slot.value !== undefined, cost: 10, chance };
    if (isOperand(right)) return { holds: pair(test, slot, this.slot(right)), cost: 40, chance };
    const cost = costOf(test);
    if (left.isList || left.isAny) {
      const single = singleTest(test);
      // "All in the list" of a list; any of several values otherwise. `fd.ip != x` is not "any": neither end is x.
      const isAll =
        (left.isList && operator === "in") || (left.kind === "field" && left.field.isAny && operator === "!=");
      const holds = isAll
        ? (): boolean => slot.value !== undefined && (slot.value as readonly Single[]).every(single)
        : (): boolean => slot.value !== undefined && (slot.value as readonly Single[]).some(single);
      return { holds, cost: cost * 4, chance };
    }
    const single = singleTest(test);
    const holds = (): boolean => {
      const { value } = slot;
      return value !== undefined && single(value as Single);
    };
    return { holds, cost, chance };
  }

  /** The value of a field or transformer, read once for each event. */
  slot(operand: BoundOperand): Slot {
    const known = this.#slots.get(operand.key);
    if (known) return known;
    const slot = new Slot(operand, this.#frame);
    this.#slots.set(operand.key, slot);
    return slot;
  }
}

/** As many bits as a small integer of V8 has without a word on the heap. */
const answersInWord = 15;
/** Cheaper answers are worked out again rather than kept. */
const keepAbove = 8;
/** In `and` the part that fails most often for its cost comes first, in `or` the one that holds most often. */
function link(isAnd: boolean, parts: readonly Node[]): Node {
  const worth = ({ cost, chance }: Node): number => (cost + 1) / Math.max(0.001, isAnd ? 1 - chance : chance);
  const sorted = parts.toSorted((a, b) => worth(a) - worth(b));
  let cost = 0;
  let reached = 1;
  for (const part of sorted) {
    cost += reached * part.cost;
    reached *= isAnd ? part.chance : 1 - part.chance;
  }
  return { holds: isAnd ? all(sorted) : some(sorted), cost, chance: isAnd ? reached : 1 - reached };
}

/** Written out for the common lengths, so that there is no loop between the calls. */
function all(parts: readonly Node[]): () => boolean {
  const [a, b, c, d, ...rest] = parts.map(({ holds }) => holds);
  if (!a) return () => true;
  if (!b) return a;
  if (!c) return () => a() && b();
  if (!d) return () => a() && b() && c();
  if (rest.length === 0) return () => a() && b() && c() && d();
  const tail = all(parts.slice(4));
  return () => a() && b() && c() && d() && tail();
}

function some(parts: readonly Node[]): () => boolean {
  const [a, b, c, d, ...rest] = parts.map(({ holds }) => holds);
  if (!a) return () => false;
  if (!b) return a;
  if (!c) return () => a() || b();
  if (!d) return () => a() || b() || c();
  if (rest.length === 0) return () => a() || b() || c() || d();
  const tail = some(parts.slice(4));
  return () => a() || b() || c() || d() || tail();
}

function pair({ left, operator }: BoundTest, slot: Slot, other: Slot): () => boolean {
  const test = pairTest(operator);
  const isAll = left.isList && operator === "in";
  return () => {
    const [one, two] = [slot.value, other.value];
    if (one === undefined || two === undefined) return false;
    const lefts = Array.isArray(one) ? (one as readonly Single[]) : [one as Single];
    const rights = Array.isArray(two) ? (two as readonly Single[]) : [two as Single];
    const holds = (value: Single): boolean => rights.some((right) => test(value, right));
    return isAll ? lefts.every(holds) : lefts.some(holds);
  };
}

const processOnly = new WeakMap<Bound, boolean>();

function isProcessOnly(bound: Bound): boolean {
  const known = processOnly.get(bound);
  if (known !== undefined) return known;
  const answer = ((): boolean => {
    switch (bound.kind) {
      case "constant":
        return false;
      case "not":
        return isProcessOnly(bound.part);
      case "and":
      case "or":
        return bound.parts.every(isProcessOnly);
      case "test":
        return bound.left.isProcess && (!isOperand(bound.right) || bound.right.isProcess);
    }
  })();
  processOnly.set(bound, answer);
  return answer;
}

const costs: Partial<Record<BoundTest["operator"], number>> = {
  contains: 20,
  icontains: 60,
  startswith: 8,
  endswith: 8,
  glob: 60,
  iglob: 100,
  regex: 800,
  pmatch: 200,
};

function costOf({ left, operator, right }: BoundTest): number {
  const base = left.type === "text" ? (costs[operator] ?? 8) : left.type === "ip" || left.type === "net" ? 100 : 6;
  return (
    base *
    (isOperand(right) || operator === "in" || operator === "intersects" || operator === "pmatch"
      ? 1
      : Math.max(1, right.length))
  );
}

function chanceOf({ left, operator }: BoundTest): number {
  switch (operator) {
    case "exists":
    case "!=":
      return 0.95;
    case "contains":
    case "icontains":
      return 0.1;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return 0.5;
    default:
      return left.type === "boolean" || left.type === "number" ? 0.4 : 0.05;
  }
}
