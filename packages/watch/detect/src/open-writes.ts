import type { SensorRecord } from "@bulwark/sensor";

/** Files that are remembered to be open; the oldest are forgotten first. */
const kept = 10_000;

/** Files that were told as written to while they were open: that one is closed at last is nothing new. */
export class OpenWrites {
  readonly #open = new Set<string>();

  /** Of every record, in order. */
  isNews(record: SensorRecord): boolean {
    if (record.type !== "file" || record.operation !== "write") return true;
    const key = `${record.mountNamespace} ${record.pid} ${record.path}`;
    const isOpen = record.isOpen === true;
    const wasOpen = this.#open.delete(key);
    if (isOpen) this.#open.add(key);
    const oldest = this.#open.values().next().value;
    if (this.#open.size > kept && oldest !== undefined) this.#open.delete(oldest);
    return isOpen || !wasOpen;
  }
}
