/** A thread of a pass: reads a layer or files of a folder, unpacks, and asks the analyzers. A hostile one ends only this. */
import { parentPort, workerData } from "node:worker_threads";
import { examineBatch, examineLayer, readPlace } from "@bulwark/image/reading";
import { errorText } from "@bulwark/model/plain";
import { Help, serveHelp } from "./help.ts";
import type { HelpOffer, PassAnswer, PassJob } from "./pass-job.ts";
import { readPort } from "./port-stream.ts";
import { loadAnalyzers, type Registry } from "./registry.ts";

const { module } = workerData as Pick<Registry, "module">;
const { analyzers } = (await import(module)) as Pick<Registry, "analyzers">;
/** For the layer that is read. */
let help: Help | undefined;

parentPort?.on("message", (job: PassJob | HelpOffer) => {
  if (job.kind === "helper") {
    if (help) help.add(job.port);
    else job.port.close();
    return;
  }
  void answer(job)
    .catch((error: unknown): PassAnswer => ({ kind: "failed", message: errorText(error) }))
    .then((result) => parentPort?.postMessage(result));
});

parentPort?.postMessage("ready");

async function answer(job: PassJob): Promise<PassAnswer> {
  if (job.kind === "layer") return readLayer(job);
  const wanted = await loadAnalyzers(analyzers, job.analyzers);
  if (job.kind === "batches") {
    return { kind: "batches", facts: job.batches.map((batch) => examineBatch(job.folder, batch, wanted)) };
  }
  await serveHelp(job.port, wanted);
  return { kind: "helped" };
}

async function readLayer({ source, ...job }: Extract<PassJob, { kind: "layer" }>): Promise<PassAnswer> {
  const helping = new Help();
  help = helping;
  try {
    const wanted = await loadAnalyzers(analyzers, job.analyzers);
    const read = async (): Promise<AsyncIterable<Uint8Array>> =>
      "path" in source ? readPlace(source) : readPort(source);
    return { kind: "layer", facts: await examineLayer({ ...job, read }, wanted, helping) };
  } finally {
    help = undefined;
    helping.close();
    if (!("path" in source)) source.close();
  }
}
