import { readFile, rename, writeFile } from "node:fs/promises";
import {
  agentSettings,
  errorText,
  isExcepted,
  systemCode,
  type AgentRecord,
  type AgentSettings,
  type ResponsePolicy,
  type WorkloadQuarantine,
} from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import type { Connection } from "./connection.ts";

/** What the control plane tells every agent. Kept on disk, so that it holds while the control plane is away. */
export class Settings {
  readonly #path: string;
  readonly #log: Logger;
  readonly #changed: () => void;
  #settings: AgentSettings;
  #disabled: ReadonlySet<string>;
  #fetching: Promise<void> | undefined;
  /** Alerts that were not raised because their rule is off or an exception waives them. */
  suppressed = 0;

  private constructor(path: string, log: Logger, changed: () => void, settings: AgentSettings) {
    this.#path = path;
    this.#log = log;
    this.#changed = changed;
    this.#settings = settings;
    this.#disabled = new Set(settings.disabledRules);
  }

  /** `changed`: they are others than before. */
  static async open(path: string, log: Logger, changed: () => void): Promise<Settings> {
    return new Settings(path, log, changed, await load(path, log));
  }

  get revision(): number {
    return this.#settings.revision;
  }

  get exceptions(): number {
    return this.#settings.exceptions.length;
  }

  get disabledRules(): readonly string[] {
    return this.#settings.disabledRules;
  }

  get responses(): readonly ResponsePolicy[] {
    return this.#settings.responses;
  }

  /** Whose time is not over. */
  get quarantines(): readonly WorkloadQuarantine[] {
    const now = Date.now();
    return this.#settings.quarantines.filter(({ until }) => until > now);
  }

  /** Without alerts of rules that are off, and those that an exception waives. */
  apply(records: AgentRecord[]): AgentRecord[] {
    const { exceptions } = this.#settings;
    if (this.#disabled.size === 0 && exceptions.length === 0) return records;
    const now = Date.now();
    const kept = records.filter((record) => {
      if (record.type !== "alert") return true;
      const { alert } = record;
      return !this.#disabled.has(alert.rule) && !exceptions.some((exception) => isExcepted(exception, alert, now));
    });
    this.suppressed += records.length - kept.length;
    return kept;
  }

  /** The control plane has this revision: fetches it where it is another one. Never throws; the next answer tells again. */
  async follow(revision: number, connection: Connection): Promise<void> {
    if (revision === this.#settings.revision) return;
    this.#fetching ??= this.#fetch(connection)
      .catch((error: unknown) => this.#log.warn({ reason: errorText(error) }, "the new settings were not fetched"))
      .finally(() => (this.#fetching = undefined));
    await this.#fetching;
  }

  async #fetch(connection: Connection): Promise<void> {
    const { status, body } = await connection.call("GET", "/api/agent/v1/settings");
    if (status !== 200) throw new Error(`the server answered ${status}`);
    const settings = agentSettings.parse(body);
    this.#settings = settings;
    this.#disabled = new Set(settings.disabledRules);
    this.#changed();
    await writeFile(`${this.#path}.new`, JSON.stringify(settings), { mode: 0o600, flush: true });
    await rename(`${this.#path}.new`, this.#path);
    this.#log.info({ revision: settings.revision, disabledRules: settings.disabledRules }, "new settings");
  }
}

/** Nothing where there is nothing; what cannot be read is told, and fetched again with the first answer. */
async function load(path: string, log: Logger): Promise<AgentSettings> {
  try {
    return agentSettings.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") log.warn({ path, reason: errorText(error) }, "settings on disk are unreadable");
    return { revision: -1, disabledRules: [], exceptions: [], responses: [], quarantines: [] };
  }
}
