import { PassThrough, Transform, type Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { batch, clusterReport, kubeChange, record, type Batch, type ClusterReport } from "@bulwark/model";
import type { preParsingHookHandler } from "fastify";
import { z } from "zod";
import type { Limits } from "../limits.ts";
import { parseInput, Refusal } from "./problem.ts";
import type { Extra } from "./register.ts";

/** What taking in a batch needs beyond its schema. */
export function ingestExtra({ batch: limit }: Limits): Extra {
  return { bodyLimit: limit, preParsing: inflate(limit), parseBody: parseBatch };
}

/** The same for what a collector sends of its cluster. */
export function clusterExtra({ batch: limit }: Limits): Extra {
  return { bodyLimit: limit, preParsing: inflate(limit), parseBody: parseClusterReport };
}

/** Inflates a body as it comes. What comes out is bounded by the route's body limit, what goes in by `limit`. */
export function inflate(limit: number): preParsingHookHandler {
  return (request, reply, payload, done) => {
    const decoder = decoderOf(request.headers["content-encoding"]);
    if (decoder === undefined) {
      done(new Refusal("invalid", "content-encoding may be gzip or zstd", { status: 415 }), payload);
      return;
    }
    if (decoder === null) {
      done(null, payload);
      return;
    }
    const output = inflated(payload, decoder, limit);
    reply.raw.once("close", () => output.destroy());
    done(null, output);
  };
}

function decoderOf(encoding: string | undefined): Transform | null | undefined {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case "identity":
      return null;
    case "gzip":
      return createGunzip();
    case "zstd":
      // A window of 8 MiB: what a sender asks for is what we would allocate.
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 23 } });
    default:
      return undefined;
  }
}

/** fastify reads `receivedEncodedLength` to hold the content-length against. */
function inflated(source: Readable, decoder: Transform, limit: number): Readable {
  const output = Object.assign(new PassThrough(), { receivedEncodedLength: 0 });
  source.on("data", (chunk: Buffer) => {
    output.receivedEncodedLength += chunk.length;
    if (output.receivedEncodedLength > limit) fail(new Refusal("invalid", "the body is too large", { status: 413 }));
  });
  source.on("error", fail);
  decoder.on("error", () => fail(new Refusal("invalid", "the body is not what its content-encoding says")));
  output.on("close", () => {
    source.unpipe(decoder);
    decoder.destroy();
  });
  function fail(error: Error): void {
    output.destroy(Object.assign(error, { statusCode: error instanceof Refusal ? error.status : 400 }));
  }
  source.pipe(decoder).pipe(output);
  return output;
}

const envelope = batch.extend({ records: z.array(z.unknown()).min(1).max(5000) });
const clusterEnvelope = clusterReport.extend({ changes: z.array(z.unknown()).max(5000) });
const sliceLength = 200;

async function parseBatch(body: unknown): Promise<Batch> {
  const { records, ...rest } = parseInput(envelope, body, "body");
  return { ...rest, records: await inSlices("records", record, records) };
}

async function parseClusterReport(body: unknown): Promise<ClusterReport> {
  const { changes, ...rest } = parseInput(clusterEnvelope, body, "body");
  return { ...rest, changes: await inSlices("changes", kubeChange, changes) };
}

/** The same check as the schema's, in slices, so that a large batch does not hold up everybody else's requests. */
async function inSlices<T>(name: string, item: z.ZodType<T>, all: unknown[]): Promise<T[]> {
  const slice = z.array(item);
  const checked: T[] = [];
  for (let at = 0; at < all.length; at += sliceLength) {
    if (at > 0) await nextTurn();
    const parsed = slice.safeParse(all.slice(at, at + sliceLength));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const [index = 0, ...path] = issue?.path ?? [];
      const place = [name, at + Number(index), ...path].join(".");
      throw new Refusal("invalid", `body.${place}: ${issue?.message ?? "is wrong"}`);
    }
    checked.push(...parsed.data);
  }
  return checked;
}
