import { Worker } from "node:worker_threads";
import type { ContainerRegistry } from "@bulwark/containers";
import { errorText, imageKeyOf, type AgentRecord, type Container, type ImageReport } from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import type { ScanAnswer, ScanJob } from "./image-scan-thread.ts";

export interface ImageScannerOptions {
  registry: ContainerRegistry;
  log: Logger;
  emit(records: AgentRecord[]): void;
}

/** An image is scanned again after so long, in case that its root file system (bare runc) has changed. */
const again = 24 * 3_600_000;
/** Milliseconds after which a scan is given up. */
const timeLimit = 600_000;
const heapLimitMegabytes = 512;

/** Scans the image of every container that runs, one after the other, each image once, in a thread. */
export class ImageScanner implements AsyncDisposable {
  readonly #options: ImageScannerOptions;
  readonly #done = new Map<string, number>();
  readonly #waiting = new Map<string, Container>();
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  readonly counters = { scanned: 0, failed: 0 };

  constructor(options: ImageScannerOptions) {
    this.#options = options;
    options.registry.on("started", (container) => this.#add(container));
  }

  /** Looks for images that have not been scanned, or not for long. */
  look(): void {
    for (const container of this.#options.registry.containers()) {
      if (container.state === "running" || container.state === "paused") this.#add(container);
    }
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.#waiting.clear();
    await this.#worker?.terminate();
    await this.#running;
  }

  #add(container: Container): void {
    const key = imageKeyOf(container);
    if (this.#stopping || Date.now() - (this.#done.get(key) ?? 0) < again) return;
    this.#waiting.set(key, container);
    this.#running ??= this.#drain().finally(() => (this.#running = undefined));
  }

  async #drain(): Promise<void> {
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      const [key, container] = next;
      this.#waiting.delete(key);
      this.#done.set(key, Date.now());
      const report = await this.#scan(key, container);
      if (this.#stopping) return;
      this.#options.emit([{ type: "image", report }]);
    }
  }

  async #scan(key: string, container: Container): Promise<ImageReport> {
    const startedAt = Date.now();
    const { name, digest } = container.image;
    const common = { key, name: name || container.rootfs || container.id, digest };
    try {
      const answer = await this.#inThread(this.#jobOf(container));
      this.counters.scanned++;
      return { ...common, ...answer, scannedAt: Date.now(), durationMs: Date.now() - startedAt };
    } catch (error) {
      this.counters.failed++;
      this.#options.log.warn({ image: name, reason: errorText(error) }, "an image could not be scanned");
      const failure = {
        extractor: "image",
        state: "failed" as const,
        errors: [{ path: name, message: errorText(error).slice(0, 1024) }],
      };
      return {
        ...common,
        source: "rootfs",
        scannedAt: Date.now(),
        durationMs: Date.now() - startedAt,
        inventory: { os: null, packages: [], extractors: [failure] },
      };
    }
  }

  #jobOf(container: Container): ScanJob {
    const { image, pid, rootfs } = container;
    const place = this.#options.registry.contentOf(container);
    return {
      content: place && image.digest !== null ? { ...place, digest: image.digest } : undefined,
      root: pid === null ? rootfs : `/proc/${pid}/root`,
      name: image.name,
    };
  }

  async #inThread(job: ScanJob): Promise<ScanAnswer> {
    const worker = new Worker(new URL("image-scan-thread.ts", import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMegabytes },
    });
    this.#worker = worker;
    const timer = setTimeout(() => void worker.terminate(), timeLimit);
    try {
      return await new Promise<ScanAnswer>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.once("exit", () => reject(new Error("the scan was broken off")));
      });
    } finally {
      clearTimeout(timer);
      this.#worker = undefined;
      await worker.terminate();
    }
  }
}
