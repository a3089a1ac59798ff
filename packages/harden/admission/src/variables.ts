import { CelError, MessageValue, perCallLimit, type Limits, type Program, type Value } from "@bulwark/cel";
import type { CompiledPolicy, Part } from "./compile.ts";
import type { Subject } from "./evaluate.ts";

const noFields = {};

/** What evaluating something came to. */
export interface Outcome {
  readonly result: { readonly value: Value } | { readonly error: unknown };
  readonly cost: number;
  /** The variables that it asked for. */
  readonly asked: readonly string[];
}

/** Cost that the expressions of a policy may have together. */
export class Budget implements Limits {
  #left: number;
  /** Of the last program. */
  cost = 0;
  /** For the next one. */
  costLimit = 0;

  constructor(left: number) {
    this.#left = left;
  }

  spent(cost: number): void {
    this.cost = cost;
  }

  /** What the next program may cost. Raises a `CelError` where nothing is left. */
  limit(): number {
    if (this.#left > 0) return Math.min(this.#left, perCallLimit);
    throw new CelError("cost", "the expressions of this policy cost more than is allowed together");
  }

  pay(cost: number): void {
    this.#left -= cost;
  }

  /** Raises a `CelError`. */
  run(program: Program, names: Readonly<Record<string, unknown>>): Value {
    this.costLimit = this.limit();
    try {
      return program.evaluate(names, this);
    } finally {
      this.pay(this.cost);
    }
  }
}

/**
 * The variables of a policy: each is computed when it is first asked for, once; one that fails, fails for everyone. Many
 * policies name the same of a request, such as its containers: that is computed for the first of them, and costs each of
 * them what it would have cost it. No getters of a record: each object with one of its own is a shape of its own to V8,
 * which lives until the whole heap is collected.
 */
export class Variables extends MessageValue {
  readonly #compiled: CompiledPolicy["variables"];
  readonly #subject: Subject;
  readonly #budget: Budget;
  #known: Map<string, Outcome> | undefined;
  /** What the variable that is being computed has asked for. */
  #asked: string[] | undefined;
  /** What expressions may name, these too. */
  readonly #all: { names(): Readonly<Record<string, unknown>> };

  constructor(
    compiled: CompiledPolicy["variables"],
    subject: Subject,
    budget: Budget,
    all: { names(): Readonly<Record<string, unknown>> },
  ) {
    super("variables", noFields);
    this.#compiled = compiled;
    this.#subject = subject;
    this.#budget = budget;
    this.#all = all;
  }

  override get(name: string): Value {
    if (this.#asked?.includes(name) === false) this.#asked.push(name);
    const outcome = this.#outcomeOf(name);
    return outcome && settled(outcome);
  }

  /** The value of a part of the policy that has no name. Raises what it failed with. */
  evaluate(part: Part): Value {
    return settled(this.#outcome(part));
  }

  #outcomeOf(name: string): Outcome | undefined {
    const known = this.#known?.get(name);
    if (known) return known;
    const variable = this.#compiled.get(name);
    if (!variable) return undefined;
    const outcome = this.#outcome(variable);
    (this.#known ??= new Map()).set(name, outcome);
    return outcome;
  }

  #outcome({ program, shared }: Part): Outcome {
    if (!shared) return this.#compute(program);
    const all = this.#subject.memory.outcomes;
    const before = all.get(shared.key);
    const again = before && this.#again(before);
    if (again) return again;
    const outcome = this.#compute(program);
    if (!isItsOwn(outcome) && outcome.asked.every((name) => shared.after.has(name))) all.set(shared.key, outcome);
    return outcome;
  }

  #compute(program: Program): Outcome {
    const outer = this.#asked;
    const asked: string[] = [];
    this.#asked = asked;
    let result: Outcome["result"];
    try {
      result = { value: this.#budget.run(program, this.#all.names()) };
    } catch (error) {
      result = { error };
    } finally {
      this.#asked = outer;
    }
    return { result, cost: this.#budget.cost, asked };
  }

  /** Another policy has computed it. Undefined where this one could not have paid for it. */
  #again(outcome: Outcome): Outcome | undefined {
    if (outcome.cost > this.#budget.limit()) return undefined;
    for (const name of outcome.asked) {
      const known = this.#outcomeOf(name);
      if (known && isItsOwn(known)) return known;
    }
    this.#budget.pay(outcome.cost);
    return outcome;
  }
}

function settled({ result }: Outcome): Value {
  if ("error" in result) throw result.error;
  return result.value;
}

/** What a policy has no budget for is its own affair, not that of the expression. */
function isItsOwn({ result }: Outcome): boolean {
  return "error" in result && !(result.error instanceof CelError && result.error.code === "evaluation");
}
