import type { Directory } from "../directory.ts";
import type { Flow } from "../flow.ts";
import { readSources, type ReadSummary } from "../read.ts";

/** Reads texts as files are read, in pieces that fall anywhere. */
export async function readTexts(
  files: Readonly<Record<string, string>>,
  directory?: Directory,
): Promise<{ flows: Flow[]; summary: ReadSummary }> {
  const flows: Flow[] = [];
  const sources = Object.entries(files).map(([name, text]) => ({ name, open: () => pieces(text) }));
  const summary = await readSources(sources, (flow) => flows.push(flow), directory);
  return { flows, summary };
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1009) yield bytes.subarray(at, at + 1009);
}

export function json(...records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
