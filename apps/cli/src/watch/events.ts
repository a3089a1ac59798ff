import { createReadStream } from "node:fs";
import { access, constants } from "node:fs/promises";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { createForeign, type ForeignSummary } from "@bulwark/foreign";
import { errorText } from "@bulwark/model/plain";
import type { Io } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import type { Judge } from "./judge.ts";

/** Needs what no other tool tells: the rights that a process had before, and which programs give it others. */
const needsSensor = new Set(["credential-gain"]);

/** Events of Falco and Tetragon: files one after the other, `-` is standard input. Ends with them, or when stopped. */
export async function judgeEvents(judge: Judge, files: readonly string[], io: Io): Promise<ForeignSummary> {
  for (const file of files) if (file !== "-") await readable(file);
  const { node, host, emit } = judge;
  const foreign = createForeign({
    node,
    host,
    alertsOnly: true,
    emit,
    detectors: () => judge.detectors().filter(({ id }) => !needsSensor.has(id)),
  });
  using _following = judge.follow();
  let isStopped = false;
  let current: Readable | undefined;
  void untilStopped().then(() => {
    isStopped = true;
    current?.destroy();
  });
  for (const file of files) {
    if (isStopped) break;
    current = file === "-" ? process.stdin : createReadStream(file);
    await foreign.read(
      file === "-" ? "standard input" : file,
      paced(current, io, () => isStopped),
    );
  }
  return foreign.summary();
}

async function readable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    const remedy = "name a file of events of Falco or Tetragon, or - for standard input";
    throw new UsageError("usage", `${file}: ${errorText(error)}`, { remedy });
  }
}

/** As fast as alerts are read: what nobody takes does not pile up. */
async function* paced(stream: Readable, { stdout }: Io, isStopped: () => boolean): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) {
      yield chunk as Uint8Array;
      if ("writableNeedDrain" in stdout && stdout.writableNeedDrain === true) await once(stdout, "drain");
    }
  } catch (error) {
    // To be stopped is no failure of the stream.
    if (!isStopped()) throw error;
  }
}

/** What of the events could not be read, for a person. */
export function tellLosses({ broken, examples, failed, lost, forgotten, faults }: ForeignSummary, io: Io): boolean {
  const tell = (text: string): void => void io.stderr.write(`${printable(text)}\n`);
  for (const { source, line, reason } of examples) tell(`${source}:${line}: ${reason}`);
  if (broken > examples.length) tell(`${broken - examples.length} more broken lines`);
  for (const text of failed) tell(text);
  if (lost > 0) tell(`${lost} events were dropped by Tetragon`);
  if (forgotten > 0) tell(`${forgotten} processes were forgotten: more lived at once than are kept`);
  if (faults > 0) tell(`${faults} times a detector failed`);
  return broken > 0 || failed.length > 0;
}
