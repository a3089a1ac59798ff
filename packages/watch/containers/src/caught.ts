import { basename } from "node:path";
import type { Container } from "@bulwark/model";
import { identityOf } from "./merge.ts";
import { processFacts, type ProcessFacts } from "./process.ts";

interface Start {
  /** As it is told once it is over. */
  stopped: Container;
  facts: ProcessFacts;
  at: number;
}

/** Milliseconds for which one that is over is told. */
const kept = 10_000;
const limit = 1000;

/** Containers that were seen to begin: what to tell of those that are over before anybody looks. */
export class Caught {
  readonly #starts = new Map<string, Start>();

  keep(container: Container, facts: ProcessFacts): void {
    const key = identityOf(container);
    this.#starts.delete(key);
    this.#starts.set(key, { stopped: { ...container, state: "stopped", pid: null }, facts, at: Date.now() });
    const [oldest] = this.#starts.keys();
    if (this.#starts.size > limit && oldest !== undefined) this.#starts.delete(oldest);
  }

  /** Those that are not among what is told anyway. */
  over(told: readonly Container[]): Container[] {
    const now = Date.now();
    for (const [key, { at }] of this.#starts) if (now - at > kept) this.#starts.delete(key);
    const others = new Set(told.map(identityOf));
    return [...this.#starts].flatMap(([key, { stopped }]) => (others.has(key) ? [] : [stopped]));
  }

  factsOf(container: Container): ProcessFacts | undefined {
    return this.#starts.get(identityOf(container))?.facts;
  }
}

/**
 * What the kernel says of a container's first process or, when that has gone, what is known without it: the cgroups that
 * the runtime gave it, of which one with its name is nobody else's. Undefined where that is nothing.
 */
export async function factsAtStart(
  { id, pid, startTicks }: { id: string; pid: number; startTicks: number },
  given: () => Promise<string[]>,
): Promise<ProcessFacts | undefined> {
  const facts = await processFacts(pid);
  if (facts && facts.cgroups.length > 0 && (startTicks === 0 || startTicks === facts.startTicks)) return facts;
  const cgroups = (await given()).filter((path) => basename(path).includes(id));
  if (cgroups.length === 0) return undefined;
  return { startTicks, startedAt: Date.now(), cgroups, hostNamespaces: undefined, ownUserNamespace: false };
}
