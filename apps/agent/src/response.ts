import { randomUUID } from "node:crypto";
import type { ContainerRegistry } from "@bulwark/containers";
import {
  isInScope,
  type Action,
  type ActionKind,
  type ActionOrder,
  type ActionRecord,
  type Alert,
  type Component,
  type Container,
  type ResponsePolicy,
  type WorkloadQuarantine,
} from "@bulwark/model";
import { endGuard, type ClosedOrder, type ClosedOrders } from "./closed-orders.ts";
import { Quarantines } from "./quarantines.ts";
import { createResponder, type Allowance, type Means, type Responder } from "@bulwark/respond";

export interface ResponseOptions {
  node: string;
  enabled: boolean;
  registry: ContainerRegistry;
  means: Means;
  policies(): readonly ResponsePolicy[];
  /** With what the cluster says of its pod. */
  complete(container: Container): Container;
  told(record: ActionRecord): void;
  /** Of what is enforced also when the agent is gone. */
  closed: ClosedOrders;
  /** The process that enforces now. */
  guard(): number | undefined;
}

const hour = 3_600_000;

/** What this node does about alerts: by order of the control plane, and by itself where a policy says so. */
export class Response implements AsyncDisposable {
  readonly #options: ResponseOptions;
  readonly #responder: Responder;
  /** When each policy acted, in the last hour. */
  readonly #acted = new Map<string, number[]>();
  /** Automatic actions that were not taken, because the policy acted often enough in this hour. */
  #limited = 0;

  constructor(options: ResponseOptions) {
    this.#options = options;
    this.#responder = createResponder({
      node: options.node,
      means: options.means,
      allowanceOf: (container, kind) => this.#allowanceOf(container, kind),
      audit: (record) => {
        options.closed.told(record, options.guard());
        options.told(record);
      },
    });
  }

  /**
   * Takes over what an agent before this one enforces still, because it was killed: for the rest of its time. What enforced
   * it until now ends only when this does; where it cannot be taken over it goes on until its limit.
   */
  async takeOver(): Promise<void> {
    const { closed, registry, complete } = this.#options;
    const guards = new Map<string, ClosedOrder["guard"]>();
    const left = new Set<string>();
    for (const { record, guard } of closed.all()) {
      const { id, action, alert, by, reason, until } = record;
      const container = registry.byId(record.container);
      const limitMs = (until ?? 0) - Date.now();
      closed.forget(id);
      guards.set(guard.startTicks, guard);
      if (!container || limitMs <= 0 || !("limitMs" in action)) continue;
      const request = { id, action: { ...action, limitMs }, container: complete(container), alert, by, reason };
      // It was allowed when it was ordered.
      const taken = await this.#responder.act({ ...request, allowance: { mode: "enforce", system: true } });
      if (taken.state !== "done") left.add(guard.startTicks);
    }
    for (const [started, guard] of guards) if (!left.has(started)) endGuard(guard);
  }

  async obey({ id, by, reason, order }: ActionOrder): Promise<void> {
    if (order.kind === "undo") {
      await this.#responder.undo(order.action, by);
      return;
    }
    const { alert, action, dryRun } = order;
    const container = this.#options.registry.byId(order.container);
    if (container) {
      const complete = this.#options.complete(container);
      await this.#responder.act({ id, action, container: complete, alert, by, reason, dryRun });
      return;
    }
    this.#options.told({
      ...{ id, node: this.#options.node, time: Date.now(), action, container: order.container, alert, by, reason },
      containerName: order.container,
      state: "failed",
      text: "this node has no such container any more",
      remedy: "Nothing is to be done.",
      until: null,
      counts: null,
    });
  }

  /** Carries out what the control plane says of whole workloads, from now on. */
  quarantines(wanted: () => readonly WorkloadQuarantine[]): Quarantines {
    const { registry, complete } = this.#options;
    const responder = this.#responder;
    return new Quarantines({
      wanted,
      containers: () => registry.containers().map(complete),
      act: async (request) => responder.act(request),
      undo: async (id, by) => responder.undo(id, by),
      lasting: () => responder.all(),
    });
  }

  /** Does what policies say of this alert. */
  alerted(alert: Alert): void {
    const container = alert.container && this.#options.registry.byId(alert.container.id);
    if (!container || !this.#options.enabled) return;
    const complete = this.#options.complete(container);
    for (const policy of this.#options.policies()) {
      if (policy.automatic?.rules.includes(alert.rule) !== true || !isInScope(policy.scope, complete)) continue;
      const action = actionFor(policy.automatic.action, alert);
      if (action === undefined) continue;
      // What is done to the container already needs no second time, whatever alerts still come.
      if (this.#responder.isLasting(container.id, action.kind)) continue;
      if (!this.#mayAct(policy.id, policy.automatic.perHour)) {
        this.#limited++;
        continue;
      }
      const { mode, system } = policy;
      void this.#responder.act({
        ...{ id: `auto-${randomUUID()}`, action, container: complete, alert: alert.id, allowance: { mode, system } },
        by: `policy:${policy.name}`,
        reason: alert.title,
      });
    }
  }

  health(): Component {
    const { counters, lasting } = this.#responder;
    const policies = this.#options.policies();
    const { enabled, node } = this.#options;
    const enforcing = policies.filter(({ mode }) => mode === "enforce").length;
    return {
      id: "response",
      node,
      state: enabled ? "ok" : "off",
      summary: enabled
        ? `${lasting} actions last; ${policies.length} policies allow some, ${enforcing} of them to enforce`
        : "Nothing is done about alerts",
      reason: enabled ? "" : "agent.response.enabled is false on this node",
      remedy: enabled ? "" : "set it to true, and start the agent again",
      counters: { ...counters, lasting, limited: this.#limited },
      updatedAt: Date.now(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#responder[Symbol.asyncDispose]();
  }

  /** Of several policies one that enforces goes before one that observes. */
  #allowanceOf(container: Container, kind: ActionKind): Allowance | undefined {
    if (!this.#options.enabled) return undefined;
    const allowing = this.#options
      .policies()
      .filter(({ actions, scope }) => actions.includes(kind) && isInScope(scope, container));
    if (allowing.length === 0) return undefined;
    const enforcing = allowing.filter(({ mode }) => mode === "enforce");
    const holding = enforcing.length > 0 ? enforcing : allowing;
    return { mode: enforcing.length > 0 ? "enforce" : "observe", system: holding.some(({ system }) => system) };
  }

  #mayAct(policy: string, perHour: number): boolean {
    const now = performance.now();
    const lately = (this.#acted.get(policy) ?? []).filter((time) => now - time < hour);
    if (lately.length >= perHour) return false;
    this.#acted.set(policy, [...lately, now]);
    return true;
  }
}

/** Undefined where there is no process to end. */
function actionFor(action: NonNullable<ResponsePolicy["automatic"]>["action"], { process }: Alert): Action | undefined {
  if (action.kind !== "kill") return action;
  return process ? { kind: "kill", process: { pid: process.pid, startTime: process.startTime } } : undefined;
}
