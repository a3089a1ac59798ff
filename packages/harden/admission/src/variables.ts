import { CelError, MessageValue, perCallLimit, type Program, type Value } from "@bulwark/cel";
import type { CompiledPolicy, Shared } from "./compile.ts";
import type { Subject } from "./evaluate.ts";

/** What evaluating something came to. */
interface Outcome {
  readonly result: { readonly value: Value } | { readonly error: unknown };
  readonly cost: number;
  /** The variables that it asked for. */
  readonly asked: readonly string[];
}

/** Cost that the expressions of a policy may have together. */
export class Budget {
  #left: number;
  /** Of the last program. */
  cost = 0;
  readonly #limits = { costLimit: 0, spent: (cost: number): number => (this.cost = cost) };

  constructor(left: number) {
    this.#left = left;
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
    this.#limits.costLimit = this.limit();
    try {
      return program.evaluate(names, this.#limits);
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
  readonly #known = new Map<string, Outcome>();
  /** What the variable that is being computed has asked for. */
  #asked: string[] | undefined;
  /** Set by what these are the variables of. */
  names: Readonly<Record<string, unknown>> = {};

  constructor(compiled: CompiledPolicy["variables"], subject: Subject, budget: Budget) {
    super("variables", {});
    this.#compiled = compiled;
    this.#subject = subject;
    this.#budget = budget;
  }

  override get(name: string): Value {
    this.#asked?.push(name);
    const outcome = this.#known.get(name) ?? this.#first(name);
    if (outcome === undefined) return undefined;
    if ("error" in outcome.result) throw outcome.result.error;
    return outcome.result.value;
  }

  #first(name: string): Outcome | undefined {
    const variable = this.#compiled.get(name);
    if (!variable) return undefined;
    const outcome = variable.shared ? this.#shared(variable.program, variable.shared) : this.#compute(variable.program);
    this.#known.set(name, outcome);
    return outcome;
  }

  #shared(program: Program, { key, after }: Shared): Outcome {
    const all = sharedOf(this.#subject);
    const before = all.get(key);
    const again = before && this.#again(before);
    if (again) return again;
    const outcome = this.#compute(program);
    if (!isCostly(outcome) && outcome.asked.every((name) => after.has(name))) all.set(key, outcome);
    return outcome;
  }

  #compute(program: Program): Outcome {
    const outer = this.#asked;
    const asked: string[] = [];
    this.#asked = asked;
    let result: Outcome["result"];
    try {
      result = { value: this.#budget.run(program, this.names) };
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
      const known = this.#known.get(name) ?? this.#first(name);
      if (known && isCostly(known)) return known;
    }
    this.#budget.pay(outcome.cost);
    return outcome;
  }
}

/** What a policy has no budget for is its own affair. */
function isCostly({ result }: Outcome): boolean {
  return "error" in result && result.error instanceof CelError && result.error.code === "cost";
}

/** Variables of a request that depend on nothing else, by what they are of. */
function sharedOf({ request, namespace }: Subject): Map<string, Outcome> {
  const known = memory.get(request);
  if (known?.namespace === namespace) return known.outcomes;
  const outcomes = new Map<string, Outcome>();
  memory.set(request, { namespace, outcomes });
  return outcomes;
}
const memory = new WeakMap<Subject["request"], { namespace: Subject["namespace"]; outcomes: Map<string, Outcome> }>();
