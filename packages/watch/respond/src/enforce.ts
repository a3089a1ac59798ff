import type { Action, ActionPeer } from "@bulwark/model";
import type { PeerRule, PolicyRules } from "@bulwark/sensor";
import type { Attempt, Lack, Subject } from "./action.ts";
import { attempt } from "./attempt.ts";
import { whyNot } from "./guard.ts";
import { cgroupsOf } from "./process.ts";

type Enforced = Extract<Action, { kind: "deny-exec" | "deny-connect" | "quarantine" }>;

/** Why the kernel cannot keep this container from anything. */
export async function lackOfEnforcer({ container, means }: Subject<Enforced>): Promise<Lack | undefined> {
  if (!means.enforcer) {
    return { text: "the sensor does not run here", remedy: "Health says why, and what would turn it on." };
  }
  const reason = await whyNot(container.pid ?? 0, container);
  if (reason !== undefined) return { text: reason, remedy: "Nothing is to be done." };
  const cgroup = await cgroupOf(container.pid ?? 0);
  if (cgroup !== undefined) return undefined;
  return {
    text: "the container has no cgroup of version 2 of its own",
    remedy: "Start the host with cgroup version 2.",
  };
}

export async function enforce(subject: Subject<Enforced>, rules: PolicyRules, text: string): Promise<Attempt> {
  const { action, container, means, told, over } = subject;
  const lack = await lackOfEnforcer(subject);
  const cgroup = await cgroupOf(container.pid ?? 0);
  if (lack || !means.enforcer || cgroup === undefined || container.pid === null) {
    return { ok: false, ...(lack ?? { text: "the container has ended", remedy: "Nothing is to be done." }) };
  }
  const limits = { limitMs: action.limitMs, enforce: true, outlives: action.onFailure === "closed" };
  const { enforcer } = means;
  return attempt(async () => {
    const policy = { ...rules, ...limits, cgroup, pid: container.pid ?? 0 };
    const { ways, release } = await enforcer.enforce(policy, { told, over });
    // The one without the other is weaker: scripts run.
    const weaker = rules.kind === "exec" && !ways.includes("refuse-exec") ? "; ended as they begin, not refused" : "";
    return {
      text: `${text}${weaker}`,
      async undo() {
        await release();
        return "no longer enforced";
      },
    };
  });
}

export function rulesOf(peers: readonly ActionPeer[], allows: boolean): PeerRule[] {
  return peers.map(({ peer, ports }) => ({ peer, allows, ...(ports && { ports }) }));
}

export function peersText(peers: readonly ActionPeer[]): string {
  return peers
    .map(({ peer, ports }) => {
      if (!ports) return peer;
      const [first, last] = ports;
      return `${peer} port ${first === last ? first : `${first}-${last}`}`;
    })
    .join(", ");
}

export function exceptText(except: readonly ActionPeer[]): string {
  return except.length === 0 ? "" : `, but for ${peersText(except)}`;
}

/** Its path in the version 2 hierarchy; undefined where it is at the root, with everybody. */
async function cgroupOf(pid: number): Promise<string | undefined> {
  const path = (await cgroupsOf(pid)).get("");
  return path === undefined || path === "/" ? undefined : path;
}
