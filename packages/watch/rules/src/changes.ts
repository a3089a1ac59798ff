import { statSync } from "node:fs";
import { errorText } from "@bulwark/model/plain";

/** Milliseconds between two looks at files, and between two at some that are just being written. */
const lookEvery = 2000;
const calmFor = 200;

export interface ChangesOptions {
  /** The files as they are now, folders resolved to what is in them. May raise an error, which is one more state of them. */
  files(): readonly string[];
  lookEvery?: number;
}

/**
 * Says when files are others than they were: written, put in another's place, new or gone. It looks at them, because there is
 * no other way for a folder of Kubernetes, in which a link is moved from one state of all of them to the next.
 */
export class Changes implements Disposable {
  readonly #options: ChangesOptions;
  /** As they were when they were read, and at the last look. */
  #known: string;
  #last: string;
  #timer: NodeJS.Timeout | undefined;

  /** To be made before the files are read: what changes meanwhile is a change. */
  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#known = this.#last = this.#stamp();
  }

  /** `changed` is called when they have changed and are no longer being written. It must not throw. */
  follow(changed: () => void): void {
    this.#timer = setTimeout(() => this.#look(changed), this.#options.lookEvery ?? lookEvery);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(changed: () => void): void {
    const before = this.#last;
    this.#last = this.#stamp();
    const isCalm = this.#last === before;
    if (isCalm && this.#last !== this.#known) {
      this.#known = this.#last;
      changed();
    }
    this.#timer = setTimeout(() => this.#look(changed), isCalm ? (this.#options.lookEvery ?? lookEvery) : calmFor);
    this.#timer.unref();
  }

  /** What stat(2) says of each, behind its links. */
  #stamp(): string {
    try {
      return this.#options.files().map(stampOf).join("\n");
    } catch (error) {
      return errorText(error);
    }
  }
}

function stampOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return [file, dev, ino, size, mtimeNs, ctimeNs].join("\0");
  } catch (error) {
    return `${file}\0${errorText(error)}`;
  }
}
