import { agentSettings, type AgentSettings } from "@bulwark/model";
import type { Store } from "@bulwark/store";

const setting = "agents.settings";
const none: AgentSettings = { revision: 0, disabledRules: [] };
/** A replica that did not make the change itself knows of it after so long at the latest. */
const rememberFor = 1000;

/** What every agent is told. Each answer to an agent carries the revision, so that a change is with it within seconds. */
export interface AgentSettingsBoard {
  current(): Promise<AgentSettings>;
  set(change: Omit<AgentSettings, "revision">): Promise<AgentSettings>;
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
    async set(change) {
      const { revision } = await current();
      // Larger than before, and not the same as what another replica makes of the one before at the same time.
      const next = { ...change, revision: Math.max(revision + 1, Date.now()) };
      await store.settings.set(setting, JSON.stringify(next));
      known = undefined;
      return next;
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
