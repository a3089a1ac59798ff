import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container, RuntimeKind } from "@bulwark/model";
import { explain, RuntimeError } from "./error.ts";
import { fit } from "./fit.ts";
import type { ProcessFacts } from "./process.ts";
import type { NodeImage, Runtime, RuntimeOrder, RuntimeSource, Watch } from "./registry.ts";
import { within } from "./wait.ts";

/** Of one runtime. What is beyond is counted. */
const containerLimit = 10_000;
const imageLimit = 5000;
const watchTimeout = 10_000;
const listTimeout = 30_000;
const firstRetry = 500;
const lastRetry = 30_000;
/** A runtime that has answered for so long is trusted again. */
const soundAfter = 10_000;
/** Changes that come together are answered by one look. */
const settle = 20;
const spacing = 200;
/** What happens between a first list and the moment when events really flow is seen by looking again. */
const secondLooks = [300, 1500];

export interface LinkOptions {
  runtime: Runtime;
  path: string;
  node: string;
  /** Called after each look that may have changed something. */
  looked(): Promise<void>;
}

/** One place where a runtime may be: opened when it is there, asked when something changed, retried when it is broken. */
export class Link implements AsyncDisposable {
  readonly kind: RuntimeKind;
  readonly path: string;
  readonly #options: LinkOptions;
  /** As of the last look that worked. */
  containers: Container[] = [];
  error: RuntimeError | undefined;
  /** Counters: containers that no place was for, and such whose telling was none. */
  overflow = 0;
  retries = 0;
  /** False for what belongs to a user without privilege, who may tell anything. */
  trusted = true;
  #isSocket = false;
  #wasThere = false;
  /** Which file is at the path: another one means that the runtime was started again. */
  #file = "";
  #source: RuntimeSource | undefined;
  #watch: Watch | undefined;
  #openedAt = 0;
  #retryAt = 0;
  #retryDelay = firstRetry;
  #looking: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #lookedAt = 0;
  readonly #closing = new AbortController();

  constructor(options: LinkOptions) {
    this.kind = options.runtime.kind;
    this.path = options.path;
    this.#options = options;
  }

  /** Worth a word in the report on health: a socket or a fault; of folders those with containers. */
  get isNotable(): boolean {
    if (this.error) return true;
    return this.isAnswering && (this.#isSocket || this.containers.length > 0);
  }

  get isAnswering(): boolean {
    return this.#source !== undefined && !this.error;
  }

  /** Of a container that was over before anybody looked. */
  factsOf(container: Container): ProcessFacts | undefined {
    return this.#source?.factsOf?.(container);
  }

  async control(container: Container, order: RuntimeOrder): Promise<void> {
    if (!this.#source?.control) {
      throw new RuntimeError("failed", `${this.kind} takes no orders from here`, {
        remedy: order === "pause" ? "freeze the container instead" : "kill its first process instead",
      });
    }
    await this.#source.control(container, order);
    this.#soon();
  }

  /** Nothing where the runtime does not answer: that is said of it already. */
  async images(): Promise<NodeImage[]> {
    if (!this.isAnswering) return [];
    const asked = this.#source?.images?.() ?? Promise.resolve([]);
    return within(listTimeout, `${this.path}: images`, asked).then(
      (found) => found.slice(0, imageLimit),
      () => [],
    );
  }

  /** Looks; who asks during a look gets the next one, which sees what they saw. */
  async look(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (!this.#looking) {
      this.#looking = this.#lookOnce().finally(() => (this.#looking = undefined));
      return this.#looking;
    }
    this.#next ??= this.#lookAfter(this.#looking);
    return this.#next;
  }

  async #lookAfter(current: Promise<void>): Promise<void> {
    await current;
    await this.#pause(this.#lookedAt + spacing - Date.now());
    this.#next = undefined;
    await this.look();
  }

  /** Cheap, for every second: takes up what has appeared, notices what has gone. */
  async check(): Promise<void> {
    const before = this.#file;
    const error = await this.#findFile();
    const isChanged = this.#file !== before;
    if (isChanged) this.#retryAt = 0;
    const isDue = !this.#source && this.#file !== "" && Date.now() >= this.#retryAt;
    const isGone = this.#file === "" && error?.code !== this.error?.code;
    // Not waited for: one that hangs must not keep the others from being checked.
    if (isChanged || isDue || isGone) void this.look();
  }

  async #lookOnce(): Promise<void> {
    this.#lookedAt = Date.now();
    const fault = await this.#findFile();
    if (this.#file === "") {
      if (!fault) this.containers = [];
      await this.#drop(fault);
    } else if (this.#source || Date.now() >= this.#retryAt) {
      await this.#ask();
    } else {
      return;
    }
    await this.#options.looked();
  }

  /** What is at the path now. A fault only where something is, or was. */
  async #findFile(): Promise<RuntimeError | undefined> {
    try {
      const found = await stat(this.path);
      this.#isSocket = found.isSocket();
      // A folder changes with everything that is made in it.
      this.#file = this.#isSocket ? `${found.ino}/${found.ctimeMs}` : `${found.ino}`;
      this.trusted = found.uid === 0 || found.uid === process.getuid?.();
      this.#wasThere = true;
      return undefined;
    } catch (error) {
      this.#file = "";
      const known = explain(this.path, error);
      if (known.code !== "absent") return known;
      if (!this.#wasThere || !this.#isSocket) return undefined;
      return new RuntimeError("failed", `${this.path} was there and is gone`, {
        remedy: `start ${this.kind} again; if it was removed on purpose, restart the agent`,
      });
    }
  }

  async #ask(): Promise<void> {
    const { runtime, path, node } = this.#options;
    try {
      if (!this.#source) {
        const opened = await runtime.open(path, node);
        if (this.#closing.signal.aborted) return await opened[Symbol.asyncDispose]();
        this.#source = opened;
        this.#openedAt = Date.now();
      }
      const source = this.#source;
      if (!this.#watch) {
        this.#watch = await within(
          watchTimeout,
          path,
          source.watch(() => this.#soon()),
        );
        this.#follow(this.#watch);
      }
      const told = await within(listTimeout, path, source.list());
      // Its events have ended meanwhile.
      if (this.#source !== source) return;
      this.#keep(told);
      this.error = undefined;
      if (Date.now() - this.#openedAt > soundAfter) this.#retryDelay = firstRetry;
    } catch (error) {
      await this.#drop(explain(path, error));
    }
  }

  #keep(told: Container[]): void {
    const fitting = told
      .slice(0, containerLimit)
      .map((container) => this.#fitted(container))
      .filter((container) => container !== undefined);
    this.overflow = told.length - fitting.length;
    this.containers = fitting;
  }

  /** A source tells the same object again while nothing changed, and so does this. */
  readonly #fit = new WeakMap<Container, Container>();

  #fitted(container: Container): Container | undefined {
    const before = this.#fit.get(container);
    if (before) return before;
    const now = fit(container);
    if (now) this.#fit.set(container, now);
    return now;
  }

  #follow(watch: Watch): void {
    const lost = async (): Promise<void> => {
      if (this.#watch !== watch || this.#closing.signal.aborted) return;
      await this.#drop(
        new RuntimeError("failed", `${this.path}: the runtime has ended its events`, {
          remedy: `see whether ${this.kind} runs; it is asked again by itself`,
        }),
      );
      await this.#options.looked();
    };
    watch.ended.then(lost, lost);
    for (const delay of secondLooks) void this.#pause(delay).then(async () => this.look());
  }

  /** Closes what is broken. Its containers stay as they were last told, while their processes live. */
  async #drop(fault: RuntimeError | undefined): Promise<void> {
    const [source, watch] = [this.#source, this.#watch];
    this.#source = undefined;
    this.#watch = undefined;
    this.error = fault;
    if (source) {
      this.retries++;
      this.#retryAt = Date.now() + this.#retryDelay;
      this.#retryDelay = Math.min(this.#retryDelay * 2, lastRetry);
    }
    const closing = Promise.allSettled([watch?.[Symbol.asyncDispose](), source?.[Symbol.asyncDispose]()]);
    await Promise.race([closing, this.#pause(watchTimeout)]);
  }

  #settling = false;

  #soon(): void {
    if (this.#settling) return;
    this.#settling = true;
    const delay = Math.max(settle, this.#lookedAt + spacing - Date.now());
    void this.#lookIn(delay);
  }

  async #lookIn(delay: number): Promise<void> {
    await this.#pause(delay);
    this.#settling = false;
    await this.look();
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    await sleep(milliseconds, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const open = [this.#watch, this.#source];
    await Promise.allSettled(open.map(async (item) => item?.[Symbol.asyncDispose]()));
    await this.#looking?.catch(() => undefined);
    await Promise.allSettled([this.#watch, this.#source].map(async (item) => item?.[Symbol.asyncDispose]()));
  }
}
