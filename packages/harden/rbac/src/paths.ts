import { stateKey, type State, type Step, type World } from "./state.ts";
import { techniques } from "./techniques/index.ts";

/** What the attacker wants: all rights in the cluster, or root on any of its nodes. */
export type Goal = "cluster-admin" | "node";

/** One way from what an attacker holds to the goal. */
export interface Path {
  readonly from: State;
  readonly steps: readonly Step[];
}

/** Steps that a way may have more than the shortest. */
const detour = 2;
/** States that are looked at, and steps that are tried, before the search ends. */
const statesLimit = 100_000;
const triesLimit = 200_000;

/**
 * The ways to the goal, shortest first: what can be reached is found breadth first, and from the goal backwards how far
 * each state is from it; then ways are walked that only ever lead where the goal is still near enough.
 */
export function findPaths(from: State, goal: Goal, world: World, most: number): Path[] {
  const steps = reach(from, goal, world);
  const distance = distances(steps, goal);
  const shortest = distance.get(stateKey(from));
  if (shortest === undefined) return [];
  const found: Path[] = [];
  let tries = 0;
  function walk(state: State, before: readonly Step[], seen: ReadonlySet<string>, length: number): void {
    if (isGoal(state, goal)) {
      if (before.length === length) found.push({ from, steps: before });
      return;
    }
    for (const step of steps.get(stateKey(state)) ?? []) {
      const key = stateKey(step.to);
      const left = distance.get(key);
      if (left === undefined || before.length + 1 + left > length || seen.has(key)) continue;
      if (found.length >= most || ++tries > triesLimit) return;
      walk(step.to, [...before, step], new Set([...seen, key]), length);
    }
  }
  for (let length = shortest; length <= shortest + detour && found.length < most; length++) {
    walk(from, [], new Set([stateKey(from)]), length);
  }
  return found;
}

function isGoal(state: State, goal: Goal): boolean {
  return state.kind === goal || (goal === "node" && state.kind === "cluster-admin");
}

/**
 * The steps out of every state that can be reached, level by level, until those are behind that a way of the wanted
 * length can have. Of several steps to the same state the first technique's counts.
 */
function reach(from: State, goal: Goal, world: World): Map<string, Step[]> {
  const steps = new Map<string, Step[]>();
  let level = new Map([[stateKey(from), from]]);
  let last = Number.POSITIVE_INFINITY;
  for (let depth = 1; depth <= last && level.size > 0 && steps.size < statesLimit; depth++) {
    const next = new Map<string, State>();
    for (const [key, state] of level) {
      const out = isGoal(state, goal) ? [] : stepsFrom(state, key, world);
      steps.set(key, out);
      for (const { to } of out) next.set(stateKey(to), to);
      if (out.some(({ to }) => isGoal(to, goal))) last = Math.min(last, depth + detour);
    }
    level = new Map([...next].filter(([key]) => !steps.has(key)));
  }
  return steps;
}

function stepsFrom(state: State, own: string, world: World): Step[] {
  const out = new Map<string, Step>();
  for (const technique of techniques) {
    for (const step of technique.steps(state, world)) {
      const key = stateKey(step.to);
      if (key !== own && !out.has(key)) out.set(key, step);
    }
  }
  return [...out.values()];
}

/** How many steps each state is away from the goal. */
function distances(steps: ReadonlyMap<string, readonly Step[]>, goal: Goal): Map<string, number> {
  const before = new Map<string, string[]>();
  const goals = new Set<string>();
  for (const [key, out] of steps) {
    for (const { to } of out) {
      const target = stateKey(to);
      if (isGoal(to, goal)) goals.add(target);
      const list = before.get(target) ?? [];
      if (list.length === 0) before.set(target, list);
      list.push(key);
    }
  }
  const distance = new Map([...goals].map((key) => [key, 0]));
  const queue = [...goals];
  for (let at = 0; at < queue.length; at++) {
    const key = queue[at] ?? "";
    for (const previous of before.get(key) ?? []) {
      if (distance.has(previous)) continue;
      distance.set(previous, (distance.get(key) ?? 0) + 1);
      queue.push(previous);
    }
  }
  return distance;
}
