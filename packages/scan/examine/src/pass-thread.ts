/** A thread of a pass: reads a layer or files of a folder, unpacks, and asks the analyzers. A hostile one ends only this. */
import { parentPort, workerData } from "node:worker_threads";
import type { AnyAnalyzer } from "@bulwark/image";
import { examineBatch, examineLayer, readPlace } from "@bulwark/image/reading";
import { errorText } from "@bulwark/model/plain";
import type { PassAnswer, PassJob } from "./pass-job.ts";
import { readPort } from "./port-stream.ts";
import type { Registry } from "./registry.ts";

const { module } = workerData as Pick<Registry, "module">;
const { analyzers } = (await import(module)) as Pick<Registry, "analyzers">;

parentPort?.on("message", (job: PassJob) => {
  void answer(job)
    .catch((error: unknown): PassAnswer => ({ kind: "failed", message: errorText(error) }))
    .then((result) => parentPort?.postMessage(result));
});

parentPort?.postMessage("ready");

async function answer(job: PassJob): Promise<PassAnswer> {
  const wanted = job.analyzers.map(byName);
  if (job.kind === "batches") {
    return { kind: "batches", facts: job.batches.map((batch) => examineBatch(job.folder, batch, wanted)) };
  }
  const { digest, digestOf, source } = job;
  try {
    const read = async (): Promise<AsyncIterable<Uint8Array>> =>
      "path" in source ? readPlace(source) : readPort(source);
    return { kind: "layer", facts: await examineLayer({ digest, digestOf, read }, wanted) };
  } finally {
    if (!("path" in source)) source.close();
  }
}

function byName(name: string): AnyAnalyzer {
  const found = Object.values(analyzers).find((analyzer) => analyzer.name === name);
  if (!found) throw new TypeError(`${module} has no analyzer ${name}`);
  return found;
}
