import {
  containerEnd,
  networkEndKey,
  quarantineActionId,
  quarantineOf,
  type ActionRecord,
  type Container,
  type WorkloadQuarantine,
} from "@bulwark/model";
import type { ActionRequest } from "@bulwark/respond";

export interface QuarantinesOptions {
  /** What the control plane tells now. */
  wanted(): readonly WorkloadQuarantine[];
  /** That run, with what the cluster says of their pods. */
  containers(): readonly Container[];
  act(request: ActionRequest): Promise<ActionRecord>;
  undo(id: string, by: string): Promise<unknown>;
  /** Actions that last on this node. */
  lasting(): readonly ActionRecord[];
  now?(): number;
}

interface Tried {
  attempts: number;
  /** Not tried again before; never where it was done. */
  next: number;
}

/** What was refused or failed is tried again after so long, at first and at last. Milliseconds. */
const firstPause = 5000;
const lastPause = 600_000;

/**
 * Carries out quarantines of workloads on this node: each container of theirs by an action of its own, as soon as it is
 * there. What the control plane tells no more is undone. An action that a person undid by hand stays undone.
 */
export class Quarantines {
  readonly #options: QuarantinesOptions;
  /** By quarantine and container. */
  readonly #tried = new Map<string, Tried>();
  #looking: Promise<void> | undefined;
  #isDue = false;

  constructor(options: QuarantinesOptions) {
    this.#options = options;
  }

  /** Containers came or are known better, or what is wanted is another. */
  look(): Promise<void> {
    this.#isDue = true;
    this.#looking ??= this.#lookAll().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #lookAll(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      await this.#undoOthers();
      await this.#actAll();
    }
  }

  async #undoOthers(): Promise<void> {
    const { wanted, lasting, undo } = this.#options;
    const ids = new Set(wanted().map(({ id }) => id));
    for (const { id } of lasting()) {
      const quarantine = quarantineOf(id);
      if (quarantine !== undefined && !ids.has(quarantine)) await undo(id, "end of the workload's quarantine");
    }
  }

  async #actAll(): Promise<void> {
    const { wanted, containers } = this.#options;
    const running = containers();
    const kept = new Set<string>();
    for (const quarantine of wanted()) {
      for (const container of running) {
        if (!isOf(container, quarantine)) continue;
        kept.add(`${quarantine.id} ${container.id}`);
        await this.#act(quarantine, container);
      }
    }
    for (const key of this.#tried.keys()) if (!kept.has(key)) this.#tried.delete(key);
  }

  async #act(quarantine: WorkloadQuarantine, container: Container): Promise<void> {
    const { id, by, reason, except, onFailure, until } = quarantine;
    const now = this.#options.now?.() ?? Date.now();
    const key = `${id} ${container.id}`;
    const { attempts, next } = this.#tried.get(key) ?? { attempts: 0, next: 0 };
    const limitMs = until - now;
    if (now < next || limitMs < 1000) return;
    const cut = this.#options
      .lasting()
      .find((one) => one.container === container.id && one.action.kind === "quarantine");
    if (cut) {
      // An agent before this one did it, or a person did: then it is this one's when that is over.
      if (quarantineOf(cut.id) === id) this.#tried.set(key, { attempts, next: Infinity });
      return;
    }
    const action = { kind: "quarantine" as const, limitMs, except, onFailure };
    const request = { id: quarantineActionId(id, container.id, attempts), action, container, alert: null, by, reason };
    const { state } = await this.#options.act(request);
    const isOver = state === "done" || state === "dry-run";
    const pause = Math.min(firstPause * 2 ** attempts, lastPause);
    this.#tried.set(key, { attempts: attempts + 1, next: isOver ? Infinity : now + pause });
  }
}

function isOf(container: Container, { namespace, workload }: WorkloadQuarantine): boolean {
  if (!container.pod || container.state === "stopped") return false;
  const key = networkEndKey(containerEnd(container), "workload");
  return key === `${namespace}/${workload}`;
}
