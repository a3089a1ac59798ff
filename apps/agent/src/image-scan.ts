import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerRegistry, ContentPlace } from "@bulwark/containers";
import { runApart } from "@bulwark/examine";
import {
  errorText,
  imageKeyOf,
  packagesOnly,
  type AgentRecord,
  type Container,
  type ImageReport,
  type Scan,
} from "@bulwark/model";
import type { Logger } from "@bulwark/telemetry";
import { ImageQueue, type QueuedImage } from "./image-queue.ts";
import type { ScanAnswer, ScanJob } from "./image-scan-process.ts";

export interface ImageScannerOptions {
  node: string;
  registry: ContainerRegistry;
  /** Folder of what layers said before. */
  cache: string;
  /** Bytes that one scan may take. */
  memory: number;
  /** Images that no container runs, too. */
  all: boolean;
  /** Address of a clamd that looks at every file, too. */
  clamd?: string | undefined;
  log: Logger;
  emit(records: AgentRecord[]): void;
}

/** Where to read an image: in a store, else in the root of a container of it. */
interface Place {
  stored: ContentPlace | undefined;
  root: string | null;
  mounts: string[];
}
type Image = QueuedImage<Place>;

/** Milliseconds after which a scan is given up. */
const timeLimit = 900_000;
/** So often it is said how far a scan is. */
const progressEvery = 2000;

/**
 * Scans the images of this node, one after the other, each in a process of its own with the lowest priority: first those
 * that run, then the others. Says of each how it gets on.
 */
export class ImageScanner implements AsyncDisposable {
  readonly #options: ImageScannerOptions;
  readonly #queue = new ImageQueue<Place>();
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  readonly counters = { scanned: 0, failed: 0 };

  constructor(options: ImageScannerOptions) {
    this.#options = options;
    options.registry.on("started", (container) => this.#add(imageOf(container, options.registry)));
  }

  /** Looks for images that have not been scanned, or not for long. */
  async look(): Promise<void> {
    const { registry, all } = this.#options;
    for (const container of registry.containers()) {
      if (container.state === "running" || container.state === "paused") this.#add(imageOf(container, registry));
    }
    if (!all) return;
    for (const { name, digest, place } of await registry.images()) {
      this.#add({
        key: `${name}@${digest}`,
        name,
        digest,
        origin: "node",
        place: { stored: place, root: null, mounts: [] },
      });
    }
  }

  get waiting(): number {
    return this.#queue.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#queue.clear();
    this.#wake.abort();
    await this.#running;
  }

  #add(image: Parameters<ImageQueue<Place>["add"]>[0]): void {
    if (this.#stopping.signal.aborted) return;
    const queued = this.#queue.add(image, Date.now());
    if (!queued) return;
    this.#tell(queued, { state: "waiting" });
    this.#wake.abort();
    this.#running ??= this.#drain().finally(() => (this.#running = undefined));
  }

  async #drain(): Promise<void> {
    for (;;) {
      const next = this.#queue.take(Date.now());
      if (!next || this.#stopping.signal.aborted) return;
      if ("image" in next) {
        await this.#scan(next.image);
        continue;
      }
      this.#wake = new AbortController();
      await sleep(next.pause, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    }
  }

  async #scan(image: Image): Promise<void> {
    const { log, emit } = this.#options;
    const startedAt = Date.now();
    const report = { key: image.key, name: image.name, digest: image.digest };
    let progress: Pick<Scan, "done" | "total"> = { done: 0, total: null };
    this.#tell(image, { state: "running", startedAt });
    try {
      let toldAt = startedAt;
      const answer = await this.#apart(image, (now) => {
        progress = now;
        if (Date.now() - toldAt < progressEvery) return;
        toldAt = Date.now();
        this.#tell(image, { state: "running", startedAt, ...progress });
      });
      const finishedAt = Date.now();
      this.counters.scanned++;
      this.#queue.done(image, startedAt);
      emit([
        { type: "image", report: { ...report, ...answer, scannedAt: finishedAt, durationMs: finishedAt - startedAt } },
      ]);
      const total = progress.total ?? progress.done;
      this.#tell(image, { state: "done", startedAt, finishedAt, done: total, total });
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const finishedAt = Date.now();
      const reason = errorText(error).slice(0, 1024);
      const nextAt = this.#queue.failed(image, finishedAt);
      this.counters.failed++;
      log.warn({ image: image.name, reason, attempt: image.attempts }, "an image could not be scanned");
      emit([{ type: "image", report: unreadable(report, reason, startedAt) }]);
      const state = nextAt === null ? "failed" : "waiting";
      this.#tell(image, { state, reason, startedAt, finishedAt, nextAt, ...progress });
    }
  }

  async #apart(image: Image, onProgress: (progress: Pick<Scan, "done" | "total">) => void): Promise<ScanAnswer> {
    const { name, digest, place } = image;
    const { cache, memory, clamd } = this.#options;
    const job: ScanJob = { name, digest, place: place.stored, root: place.root, mounts: place.mounts, cache, clamd };
    const answer = await runApart(new URL("image-scan-process.ts", import.meta.url), job, {
      memory,
      timeLimit,
      signal: this.#stopping.signal,
      onProgress: (progress) => onProgress(progress as Pick<Scan, "done" | "total">),
    });
    return answer as ScanAnswer;
  }

  #tell(image: Image, change: Partial<Scan> & Pick<Scan, "state">): void {
    const { key, name, origin, attempts, queuedAt } = image;
    const none = { reason: "", done: 0, total: null, startedAt: null, finishedAt: null, nextAt: null };
    const scan = { place: this.#options.node, key, name, origin, attempts, queuedAt, ...none, ...change };
    this.#options.emit([{ type: "scan", scan }]);
  }
}

function imageOf(container: Container, registry: ContainerRegistry): Parameters<ImageQueue<Place>["add"]>[0] {
  const { image, pid, rootfs, id } = container;
  // Where `/var/run` leads to `/run`, a mount is told by either name.
  const mounts = container.mounts.flatMap(({ target }) => [target, target.replace(/^\/var\/run\//, "/run/")]);
  const root = pid === null ? rootfs : `/proc/${pid}/root`;
  return {
    key: imageKeyOf(container),
    name: image.name || rootfs || id,
    digest: image.digest,
    origin: "running",
    place: { stored: registry.contentOf(container), root, mounts },
  };
}

/** So that the image is known, and is never taken for a clean one. */
function unreadable(
  report: Pick<ImageReport, "key" | "name" | "digest">,
  reason: string,
  startedAt: number,
): ImageReport {
  const errors = [{ path: report.name, message: reason }];
  const now = Date.now();
  return {
    ...report,
    source: "rootfs",
    scannedAt: now,
    durationMs: now - startedAt,
    inventory: { os: null, packages: [], extractors: [{ extractor: "image", state: "failed", errors }] },
    ...packagesOnly,
  };
}
