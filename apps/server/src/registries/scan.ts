import { join } from "node:path";
import { runApart } from "@bulwark/examine";
import { errorText, type ImageReport, type Scan } from "@bulwark/model";
import type { Context } from "../context.ts";
import { announceImage } from "../jobs/announce-image.ts";
import { optionsFor } from "./address.ts";
import type { RegistryScanAnswer, RegistryScanJob } from "./scan-process.ts";

const mostAttempts = 5;
const firstPause = 15_000;
const longestPause = 3_600_000;
const timeLimit = 1_800_000;
/** So often it is said how far a scan is; a replica that says nothing for `scanSilence` is taken for dead. */
const progressEvery = 5000;
/** Who reads images here: no node may be called so. */
const witness = "server";

/** Does a scan of an image of a registry that was claimed, and says how it ended. Raises only what the store raises. */
export async function scanFromRegistry(scan: Scan, context: Context): Promise<void> {
  const { store, logger } = context;
  let progress: Pick<Scan, "done" | "total"> = { done: 0, total: null };
  const told = setInterval(() => {
    store.scans.update({ ...scan, ...progress }, Date.now()).catch((error: unknown) => {
      logger.warn({ image: scan.name, reason: errorText(error) }, "how far a scan is could not be told");
    });
  }, progressEvery);
  const startedAt = Date.now();
  let report: ImageReport;
  try {
    const answer = await look(scan, context, (now) => (progress = now));
    const finishedAt = Date.now();
    report = {
      ...identityOf(scan),
      ...answer,
      source: "image",
      scannedAt: finishedAt,
      durationMs: finishedAt - startedAt,
    };
  } catch (error) {
    // Another replica, or the next start, goes on with it.
    if (!context.closing.aborted) await fail(scan, errorText(error), progress, context);
    return;
  } finally {
    clearInterval(told);
  }
  if (await store.images.put(witness, report, Date.now())) await announceImage(report, context);
  const total = progress.total ?? progress.done;
  await store.scans.update(
    { ...scan, state: "done", reason: "", done: total, total, finishedAt: Date.now() },
    Date.now(),
  );
}

async function look(
  scan: Scan,
  { store, sealing, config, closing }: Context,
  onProgress: (progress: Pick<Scan, "done" | "total">) => void,
): Promise<RegistryScanAnswer> {
  const registry = await store.registries.get(scan.place.slice("registry:".length));
  if (!registry) throw new Error("the registry is not connected any more");
  const job: RegistryScanJob = {
    reference: scan.key,
    platform: registry.settings.platform,
    registry: optionsFor(registry, sealing),
    cache: join(config.data, "layers"),
    clamd: config.server.scan.clamd,
  };
  const answer = await runApart(new URL("scan-process.ts", import.meta.url), job, {
    memory: config.server.scan.memory,
    timeLimit,
    // Behind requests, but a push is waited for.
    nice: 5,
    signal: closing,
    onProgress: (progress) => onProgress(progress as Pick<Scan, "done" | "total">),
  });
  return answer as RegistryScanAnswer;
}

function identityOf({ key, name }: Scan): Pick<ImageReport, "key" | "name" | "digest"> {
  return { key, name, digest: key.slice(key.lastIndexOf("@") + 1) };
}

async function fail(
  scan: Scan,
  why: string,
  progress: Pick<Scan, "done" | "total">,
  { store, logger }: Context,
): Promise<void> {
  const now = Date.now();
  const reason = why.slice(0, 1024);
  logger.warn({ image: scan.name, reason, attempt: scan.attempts }, "an image of a registry could not be scanned");
  const pause = Math.min(firstPause * 4 ** (scan.attempts - 1), longestPause);
  const nextAt = scan.attempts < mostAttempts ? now + pause : null;
  const state = nextAt === null ? "failed" : "waiting";
  await store.scans.update({ ...scan, ...progress, state, reason, nextAt, finishedAt: now }, now);
}
