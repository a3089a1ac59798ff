import { Worker } from "node:worker_threads";
import { errorText, type AgentRecord, type BenchmarkReport, type Component } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import type { BenchmarkJob } from "./benchmark-thread.ts";

export interface HostCheckerOptions {
  node: string;
  root: string;
  hours: number;
  log: Logger;
  emit(records: AgentRecord[]): void;
}

/** After the start, when the machine has other things to do. */
const firstAfter = 60_000;
const timeLimit = 300_000;
const hour = 3_600_000;
const heapLimitMegabytes = 512;

/** Looks at how the host is set up, again and again, in a thread; tells what the checks say of it. */
export class HostChecker implements AsyncDisposable {
  readonly #options: HostCheckerOptions;
  #timer: NodeJS.Timeout | undefined;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #last: { time: number; failed: number; unknown: number; asked: number } | undefined;
  #error: string | undefined;

  constructor(options: HostCheckerOptions) {
    this.#options = options;
    if (options.hours > 0) this.#plan(firstAfter);
  }

  health(): Component {
    const { node, hours } = this.#options;
    const last = this.#last;
    const common = {
      ...{ id: "benchmarks", node, updatedAt: Date.now() },
      counters: { checks: last?.asked ?? 0, failed: last?.failed ?? 0, unknown: last?.unknown ?? 0 },
    };
    if (hours === 0) {
      const reason = "agent.benchmarks.hours is 0";
      return {
        ...common,
        state: "off",
        summary: "How the host is set up is not looked at",
        reason,
        remedy: "set it to 12",
      };
    }
    if (this.#error !== undefined) {
      const remedy = "it is tried again by itself; bulwark check host tells more";
      return {
        ...common,
        state: "failed",
        summary: "How the host is set up is not known",
        reason: this.#error,
        remedy,
      };
    }
    const summary = last ? `${last.asked} checks of how the host is set up` : "The first look at the host comes soon";
    return { ...common, state: "ok", summary, reason: "", remedy: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
    await this.#running;
  }

  #plan(after: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#look().finally(() => {
        if (!this.#stopping) this.#plan(this.#options.hours * hour);
      });
    }, after);
  }

  async #look(): Promise<void> {
    try {
      const report = await this.#inThread();
      const count = (state: string): number => report.results.filter((one) => one.state === state).length;
      this.#last = {
        time: report.collectedAt,
        asked: report.results.length,
        failed: count("fail"),
        unknown: count("unknown"),
      };
      this.#error = undefined;
      this.#options.emit([{ type: "benchmark", report }]);
    } catch (error) {
      if (this.#stopping) return;
      this.#error = errorText(error);
      this.#options.log.warn({ reason: this.#error }, "the host could not be checked");
    }
  }

  async #inThread(): Promise<BenchmarkReport> {
    const { node, root } = this.#options;
    const worker = new Worker(new URL("benchmark-thread.ts", import.meta.url), {
      workerData: { node, root } satisfies BenchmarkJob,
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
    });
    this.#worker = worker;
    const timer = setTimeout(() => void worker.terminate(), timeLimit);
    try {
      return await new Promise<BenchmarkReport>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.once("exit", () => reject(new Error("the look at the host was broken off")));
      });
    } finally {
      clearTimeout(timer);
      this.#worker = undefined;
      await worker.terminate();
    }
  }
}
