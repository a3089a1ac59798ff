import type { Action, ActionKind, Container } from "@bulwark/model";
import type { EnforcementWay, Policy } from "@bulwark/sensor";

/** What an action that lasts has prevented so far. */
export interface Counts {
  prevented: number;
  caught: number;
  missed: number;
}

/** What keeps a container from something, in the kernel: the sensor. Rejects with an error that has a remedy. */
export interface Enforcer {
  /** `told`: what it did, again whenever that changes; `over`: it ended by itself, and why. */
  enforce(
    policy: Policy,
    on: { told(counts: Counts): void; over(why: string): void },
  ): Promise<{ ways: readonly EnforcementWay[]; release(): Promise<void> }>;
}

/** What acts through the container's own runtime. Rejects with an error that has a remedy. */
export interface RuntimeActions {
  pause(container: Container): Promise<void>;
  resume(container: Container): Promise<void>;
  stop(container: Container): Promise<void>;
}

/** What acts through the API server of the node's cluster. Rejects with an error that has a remedy. */
export interface ClusterActions {
  deletePod(pod: { namespace: string; name: string; uid: string }): Promise<void>;
  /** True: it was not cordoned before. */
  cordon(isOn: boolean): Promise<boolean>;
}

/** By what an action acts. What is not there makes its actions fail, with the reason. */
export interface Means {
  enforcer?: Enforcer | undefined;
  runtime?: RuntimeActions | undefined;
  cluster?: ClusterActions | undefined;
}

/** To whom an action is done, and by what. */
export interface Subject<A extends Action = Action> {
  action: A;
  container: Container;
  means: Means;
  told(counts: Counts): void;
  over(why: string): void;
}

/** Why it cannot be done, and what would mend that. */
export interface Lack {
  text: string;
  remedy: string;
}

/** What an action says of its attempt. */
export type Attempt = { ok: true; text: string; undo?: () => Promise<string> } | ({ ok: false } & Lack);

/** A kind of action. A new one is a file in `actions/` and a line in its index. */
export interface Handler<A extends Action> {
  /** What would be done: `refuse to execute /bin/nc`. */
  plan(action: A, container: Container): string;
  /** Undefined where it can be done, as far as can be told without doing it. */
  lack(subject: Subject<A>): Promise<Lack | undefined>;
  act(subject: Subject<A>): Promise<Attempt>;
}

export type HandlerOf<K extends ActionKind> = Handler<Extract<Action, { kind: K }>>;
