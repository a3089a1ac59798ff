import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { BatchFacts, Folder, FolderBatch, Layer, LayerFacts } from "@bulwark/image";
import { errorText } from "@bulwark/model/plain";
import type { HelpOffer, PassAnswer, PassJob } from "./pass-job.ts";
import { servePort } from "./port-stream.ts";
import type { Registry } from "./registry.ts";

/** Of the memory that JavaScript takes in one thread; contents of files are beside it, and bounded by analyzers. */
const heapLimitMegabytes = 1024;
/** Of objects that die young, which is nearly all of them. */
const youngMegabytes = 16;
/** Bytes, as they are stored, of a layer for which a thread is started only to help: a thread takes 40 MB, and a while. */
const largeLayer = 128 * 1024 * 1024;
/** Threads that one which reads can keep busy. */
const helpersAtMost = 3;

/** A layer that is being read. */
interface Reading {
  worker: Worker;
  size: number;
  analyzers: string[];
  helpers: Worker[];
}

/**
 * Threads that examine, started as they are needed, each one thing after the other. One for which nothing is left helps
 * another that still reads a layer.
 */
export class Threads implements AsyncDisposable {
  readonly #module: string;
  readonly #size: number;
  /** Milliseconds for one layer or a load of files. */
  readonly #timeLimit: number;
  readonly #idle: Worker[] = [];
  /** Each with the moment from which it works: it loads the analyzers first. */
  readonly #all = new Map<Worker, Promise<unknown>>();
  readonly #waiting: (() => void)[] = [];
  readonly #reading = new Set<Reading>();
  #busy = 0;

  constructor({ module }: Pick<Registry, "module">, size: number, timeLimit: number) {
    this.#module = module;
    this.#size = size;
    this.#timeLimit = timeLimit;
  }

  /** Never rejects for what is in the layer, nor for a thread that it brought down: that is a fault of the layer. */
  async layer(layer: Layer, analyzers: string[], passed: (bytes: number) => void): Promise<LayerFacts> {
    const answer = await this.#take(async (worker) => {
      const reading = { worker, analyzers, size: layer.size ?? layer.place?.length ?? 0, helpers: [] };
      this.#reading.add(reading);
      this.#offerHelp();
      const answer = await this.#read(worker, layer, analyzers, passed);
      this.#end(reading, answer);
      return answer;
    });
    if (answer.kind === "layer") return answer.facts;
    const message = answer.kind === "failed" ? answer.message : "a thread gave the wrong answer";
    return { files: [], osRelease: [], faults: [message], whole: false, cover: { files: [], folders: [], opaque: [] } };
  }

  /** Raises for a defect; a thread that files brought down is told as an error text. */
  async batches(folder: Folder, batches: FolderBatch[], analyzers: string[]): Promise<BatchFacts[] | string> {
    const answer = await this.#take(async (worker) =>
      this.#ask(worker, { kind: "batches", folder, batches, analyzers }, []),
    );
    if (answer.kind === "batches") return answer.facts;
    return answer.kind === "failed" ? answer.message : "a thread gave the wrong answer";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all.keys()].map(async (worker) => worker.terminate()));
  }

  async #read(
    worker: Worker,
    { digest, digestOf, place, read }: Layer,
    analyzers: string[],
    passed: (bytes: number) => void,
  ): Promise<PassAnswer> {
    const job = { kind: "layer", digest, digestOf, analyzers } as const;
    if (place) {
      const answer = await this.#ask(worker, { ...job, source: place }, []);
      passed(place.length);
      return answer;
    }
    const { port1, port2 } = new MessageChannel();
    servePort(port1, read, passed);
    try {
      return await this.#ask(worker, { ...job, source: port2 }, [port2]);
    } finally {
      port1.close();
    }
  }

  /** Once all that is asked for at this moment has a thread, or waits for one. */
  #offerHelp(): void {
    setImmediate(() => {
      while (this.#waiting.length === 0 && this.#busy < this.#size) {
        const [reading] = [...this.#reading].toSorted((a, b) => a.helpers.length - b.helpers.length || b.size - a.size);
        if (!reading || reading.helpers.length >= helpersAtMost) return;
        if (this.#idle.length === 0 && reading.size < largeLayer) return;
        void this.#take(async (worker) => this.#help(worker, reading));
      }
    });
  }

  async #help(worker: Worker, { worker: reader, analyzers, helpers }: Reading): Promise<PassAnswer> {
    helpers.push(worker);
    const { port1, port2 } = new MessageChannel();
    reader.postMessage({ kind: "helper", port: port1 } satisfies HelpOffer, [port1]);
    return this.#ask(worker, { kind: "help", analyzers, port: port2 }, [port2]);
  }

  /** Where the reading thread was given up, those that helped may be what it waited for. */
  #end(reading: Reading, { kind }: PassAnswer): void {
    this.#reading.delete(reading);
    if (kind !== "failed") return;
    for (const helper of reading.helpers) void helper.terminate();
  }

  async #take(work: (worker: Worker) => Promise<PassAnswer>): Promise<PassAnswer> {
    while (this.#busy >= this.#size) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    const worker = this.#idle.pop() ?? this.#start();
    try {
      return await work(worker);
    } finally {
      this.#busy--;
      if (this.#all.has(worker)) this.#idle.push(worker);
      this.#waiting.shift()?.();
      this.#offerHelp();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("pass-thread.ts", import.meta.url), {
      workerData: { module: this.#module },
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes, maxYoungGenerationSizeMb: youngMegabytes },
    });
    worker.setMaxListeners(0);
    this.#all.set(worker, new Promise((resolve) => worker.once("message", resolve)));
    worker.on("exit", () => this.#all.delete(worker));
    return worker;
  }

  async #ask(worker: Worker, job: PassJob, transfer: MessagePort[]): Promise<PassAnswer> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const answered = (message: PassAnswer | "ready"): void => {
        if (message !== "ready") end(message);
      };
      const end = (answer: PassAnswer): void => {
        clearTimeout(timer);
        ended = true;
        worker.off("message", answered).off("error", broken).off("exit", gone);
        resolve(answer);
      };
      const fail = (message: string): void => {
        this.#all.delete(worker);
        void worker.terminate();
        end({ kind: "failed", message });
      };
      const broken = (error: unknown): void => fail(`its examination broke off: ${errorText(error)}`);
      const gone = (): void => fail("its examination broke off: the thread ended");
      const late = (): void => fail(`its examination took more than ${this.#timeLimit / 1000} s`);
      let ended = false;
      void this.#all.get(worker)?.then(() => {
        // Who helps has the time of the one that it helps, and ends with it.
        if (!ended && job.kind !== "help") timer = setTimeout(late, this.#timeLimit);
      });
      worker.on("message", answered).on("error", broken).on("exit", gone);
      worker.postMessage(job, transfer);
    });
  }
}
