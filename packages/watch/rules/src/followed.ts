import { Changes } from "./changes.ts";
import type { Engine } from "./engine.ts";
import { openRules, pathsOf, problemsText, ruleFilesIn, type OpenRules } from "./open.ts";

export interface FollowedOptions {
  readonly files: readonly string[];
  /** Rules that are switched off, by name or id. */
  readonly disabled: readonly string[];
  /** Milliseconds. */
  readonly lookEvery?: number;
  /** Other rules run. */
  changed(): void;
  /** Files have changed and are broken, which takes nothing from the rules that run; each text as `problemText` has it. */
  broken(problems: readonly string[]): void;
}

/**
 * Rules that are read again when their files change. Those of files that are whole take the place of the ones that run, from
 * one event to the next; while files are broken nothing changes but what is said of them.
 */
export class FollowedRules implements Disposable {
  readonly #options: FollowedOptions;
  readonly #changes: Changes;
  #running: OpenRules;
  #broken: readonly string[] = [];
  #readings = 0;

  constructor(options: FollowedOptions) {
    this.#options = options;
    this.#changes = new Changes({
      files: () => pathsOf(options.files).flatMap(filesOrPath),
      ...(options.lookEvery === undefined ? {} : { lookEvery: options.lookEvery }),
    });
    this.#running = openRules(options);
    this.#changes.follow(() => this.#read());
  }

  /** Of the rules that run at the time when it is asked. */
  readonly engine: Pick<Engine, "match"> = { match: (event) => this.#running.engine.match(event) };

  get ruleset(): OpenRules["ruleset"] {
    return this.#running.ruleset;
  }

  /** What is wrong with the files of the rules that run; those are the sound ones of them. */
  get broken(): readonly string[] {
    return this.#running.broken;
  }

  /** As `OpenRules.textOf`, of the rules that run. */
  textOf(id: string): ReturnType<OpenRules["textOf"]> {
    return this.#running.textOf(id);
  }

  get health(): OpenRules["health"] {
    const { health } = this.#running;
    const counters = { ...health.counters, readings: this.#readings };
    if (this.#broken.length === 0) return { ...health, counters };
    return {
      state: "degraded",
      reason: `rule files have changed and are broken, the rules before that go on:\n${problemsText(this.#broken)}`,
      remedy: "mend the files (bulwark rules check FILE); they are read again by themselves",
      counters: { ...counters, problems: this.#broken.length },
    };
  }

  [Symbol.dispose](): void {
    this.#changes[Symbol.dispose]();
  }

  #read(): void {
    const read = openRules(this.#options);
    this.#broken = read.broken;
    if (read.broken.length > 0) return this.#options.broken(read.broken);
    this.#running = read;
    this.#readings++;
    this.#options.changed();
  }
}

/** What cannot be looked into is looked at itself. */
function filesOrPath(path: string): string[] {
  try {
    return ruleFilesIn(path);
  } catch {
    return [path];
  }
}
