import { stdioOf } from "@bulwark/sensor";
import type { Entry } from "./process-table.ts";

/** Milliseconds after a connection at which the shell that made it is looked at. */
const delays = [50, 300, 1500];
/** Shells that may be looked at at the same time; more are passed over, and counted. */
const limit = 500;

/**
 * A shell that moves its own socket onto its standard input and then uses only its built-in commands starts no process
 * that the sensor would tell of. So a shell that connects is looked at a moment later.
 */
export class ShellWatch {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #look: (process: Entry, stdio: Entry["stdio"]) => void;
  skipped = 0;

  constructor(look: (process: Entry, stdio: Entry["stdio"]) => void) {
    this.#look = look;
  }

  watch(process: Entry): void {
    if (this.#timers.size >= limit * delays.length) {
      this.skipped++;
      return;
    }
    for (const delay of delays) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.#lookAt(process);
      }, delay);
      this.#timers.add(timer);
    }
  }

  async #lookAt(process: Entry): Promise<void> {
    const stdio = await stdioOf(process.pid, process.startTime);
    if (stdio) this.#look(process, stdio);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
