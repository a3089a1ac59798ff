import { createReadStream } from "node:fs";
import { linesOf, longestLine } from "@bulwark/model/plain";
import type { Directory } from "./directory.ts";
import type { Flow } from "./flow.ts";
import { createJoiner } from "./join.ts";
import { readers } from "./readers/index.ts";
import { BrokenRecord, recordAt, type LogRecord } from "./record.ts";
import { createTsv } from "./tsv.ts";

/** A line that told nothing, and why. */
export interface BrokenLine {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export interface ReadSummary {
  /** Lines that were not empty. */
  lines: number;
  flows: number;
  /** Lines of a known format about something else than a flow. */
  other: number;
  broken: number;
  /** The first of them, at most `mostExamples` of a file. */
  readonly examples: BrokenLine[];
  /** Files that could not be read to their end: `file: reason`. */
  readonly failed: string[];
  /** Records by format. */
  readonly formats: Map<string, number>;
}

const mostExamples = 5;

/**
 * Reads logs of any mix of the known formats, line by line, and gives out flows, joined over all files. A broken line
 * or file stops none of the others, and is counted. `-` is standard input.
 */
export async function readFlows(
  files: readonly string[],
  emit: (flow: Flow) => void,
  directory?: Directory,
): Promise<ReadSummary> {
  const sources = files.map((name) => ({
    name,
    open: (): AsyncIterable<Uint8Array> => (name === "-" ? process.stdin : createReadStream(name)),
  }));
  return readSources(sources, emit, directory);
}

/** As `readFlows`, of anything that gives bytes. */
export async function readSources(
  sources: readonly { readonly name: string; open(): AsyncIterable<Uint8Array> }[],
  emit: (flow: Flow) => void,
  directory?: Directory,
): Promise<ReadSummary> {
  const summary: ReadSummary = {
    lines: 0,
    flows: 0,
    other: 0,
    broken: 0,
    examples: [],
    failed: [],
    formats: new Map(),
  };
  const joiner = createJoiner((flow) => {
    summary.flows++;
    emit(directory ? directory.resolve(flow) : flow);
  });
  for (const source of sources) {
    let shown = 0;
    const broken = (line: number, reason: string): void => {
      summary.broken++;
      if (shown++ < mostExamples) summary.examples.push({ file: source.name, line, reason });
    };
    try {
      const tsv = createTsv();
      for await (const { number, line } of linesOf(source.open())) {
        if (line === "") continue;
        summary.lines++;
        if (line === undefined) broken(number, `longer than ${longestLine} bytes`);
        else readLine(line, number, broken);
      }
      function readLine(line: string, number: number, broken: (line: number, reason: string) => void): void {
        if (line.startsWith("#")) {
          tsv.head(line);
          summary.other++;
          return;
        }
        try {
          const flow = interpret(line.startsWith("{") ? parse(line) : tsv.record(line), summary);
          if (flow) joiner.add(flow);
          else summary.other++;
        } catch (error) {
          if (!(error instanceof BrokenRecord)) throw error;
          broken(number, error.message);
        }
      }
    } catch (error) {
      summary.failed.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  joiner.end();
  return summary;
}

function parse(line: string): LogRecord {
  try {
    return recordAt(JSON.parse(line));
  } catch (error) {
    throw new BrokenRecord(`no JSON: ${error instanceof Error ? error.message.slice(0, 120) : "unreadable"}`);
  }
}

function interpret(record: LogRecord, { formats }: ReadSummary): Flow | undefined {
  const reader = readers.find((reader) => reader.recognises(record));
  if (!reader) throw new BrokenRecord("of no format that is known (Hubble, Calico, Envoy, Suricata, Zeek)");
  formats.set(reader.name, (formats.get(reader.name) ?? 0) + 1);
  return reader.read(record);
}
