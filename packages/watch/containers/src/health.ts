import type { Component, ComponentState, RuntimeKind } from "@bulwark/model";
import type { Link } from "./link.ts";

/** One component for each kind of runtime that there is, or one that says that there is none. */
export function healthOf(links: readonly Link[], lookedFor: readonly string[], node: string): Component[] {
  const kinds = new Map<RuntimeKind, Link[]>();
  for (const link of links) if (link.isNotable) kinds.set(link.kind, [...(kinds.get(link.kind) ?? []), link]);
  if (kinds.size > 0) return [...kinds].map(([kind, group]) => component(kind, group, node));
  return [
    {
      id: "runtime",
      node,
      state: "off",
      summary: "no container runtime",
      reason: cut(`nothing at ${lookedFor.join(", ")}`, 2048),
      remedy: "start a container runtime, for example: apt-get install containerd; it is found by itself",
      counters: {},
      updatedAt: Date.now(),
    },
  ];
}

function component(kind: RuntimeKind, links: readonly Link[], node: string): Component {
  const broken = links.filter(({ error }) => error !== undefined);
  const sound = links.filter(({ error }) => error === undefined);
  const overflow = sum(links, (link) => link.overflow);
  const running = sum(links, ({ containers }) => containers.filter(({ state }) => state !== "stopped").length);
  const reasons = broken.map(({ error }) => error?.message ?? "");
  const remedies = new Set(broken.map(({ error }) => error?.remedy ?? "it is tried again by itself"));
  if (overflow > 0) {
    reasons.push(`${overflow} containers are too many, or their ids are none`);
    remedies.add("see how many containers the runtime lists");
  }
  const at = (group: readonly Link[]): string => group.map(({ path }) => path).join(", ");
  return {
    id: `runtime:${kind}`,
    node,
    state: stateOf(broken, sound, overflow),
    summary: cut(
      sound.length === 0 ? `Its containers cannot be seen (${at(broken)})` : `${running} containers run (${at(sound)})`,
      1024,
    ),
    reason: cut(reasons.join("; "), 2048),
    remedy: cut([...remedies].join("; "), 2048),
    counters: { containers: running, retries: sum(links, (link) => link.retries), "lost.containers": overflow },
    updatedAt: Date.now(),
  };
}

function stateOf(broken: readonly Link[], sound: readonly Link[], overflow: number): ComponentState {
  if (broken.length === 0) return overflow > 0 ? "degraded" : "ok";
  if (sound.length > 0) return "degraded";
  return broken.every(({ error }) => error?.code === "denied") ? "off" : "failed";
}

function sum(links: readonly Link[], count: (link: Link) => number): number {
  return links.reduce((total, link) => total + count(link), 0);
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
