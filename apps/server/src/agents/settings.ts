import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { agentSettings, type AgentSettings } from "@bulwark/model";
import type { Store } from "@bulwark/store";

const setting = "agents.settings";
const none: AgentSettings = { revision: 0, disabledRules: [], exceptions: [], responses: [], quarantines: [] };
const lease = "agent-settings";
/** A replica that did not make the change itself knows of it after so long at the latest. */
const rememberFor = 1000;

/** What every agent is told. Each answer to an agent carries the revision, so that a change is with it within seconds. */
export interface AgentSettingsBoard {
  current(): Promise<AgentSettings>;
  /** Of two who change it at the same time none undoes what the other did. */
  change(make: (current: AgentSettings) => Partial<Omit<AgentSettings, "revision">>): Promise<AgentSettings>;
  /** From memory, when that is fresh. */
  revision(): Promise<number>;
}

export function createAgentSettings(store: Store): AgentSettingsBoard {
  let known: { at: number; revision: Promise<number> } | undefined;

  async function current(): Promise<AgentSettings> {
    const text = await store.settings.get(setting);
    return text === undefined ? none : agentSettings.parse(JSON.parse(text));
  }

  return {
    current,
    async change(make) {
      const holder = randomUUID();
      while (!(await store.leases.take(lease, holder, 5000))) await sleep(20);
      try {
        const before = await current();
        const revision = Math.max(before.revision + 1, Date.now());
        const next = agentSettings.parse({ ...before, ...make(before), revision });
        await store.settings.set(setting, JSON.stringify(next));
        known = undefined;
        return next;
      } finally {
        await store.leases.release(lease, holder);
      }
    },
    async revision() {
      const now = performance.now();
      if (!known || now - known.at > rememberFor) {
        known = { at: now, revision: current().then(({ revision }) => revision) };
        known.revision.catch(() => (known = undefined));
      }
      return known.revision;
    },
  };
}
