import { z } from "zod";
import { actionRecord } from "./action.ts";
import { alert, toldRepeats } from "./alert.ts";
import { benchmarkReport } from "./benchmark.ts";
import { container } from "./container.ts";
import { event } from "./event.ts";
import { component } from "./health.ts";
import { imageReport } from "./image.ts";
import { flowReport } from "./network.ts";
import { toldRule } from "./rule-text.ts";
import { scan } from "./scan.ts";

/** What an agent sends. One record is one line of the spool and one element of an ingest batch. */
export const record = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("event"), event }),
  z.strictObject({ type: z.literal("alert"), alert }),
  /** Since the record before: what happened again of alerts that were told, by their ids. */
  z.strictObject({ type: z.literal("repeats"), repeats: z.array(toldRepeats).max(1000) }),
  /** Before the first alert that it raises with this text. */
  z.strictObject({ type: z.literal("rule"), rule: toldRule }),
  /** State of one container now; `stopped` included. */
  z.strictObject({ type: z.literal("container"), container }),
  /** Every container that this node runs, by id: what is not in it has gone. */
  z.strictObject({
    type: z.literal("containers"),
    node: z.string().max(256),
    running: z.array(z.string().max(256)).max(20_000),
  }),
  /** What became of an action. */
  z.strictObject({ type: z.literal("action"), action: actionRecord }),
  z.strictObject({ type: z.literal("image"), report: imageReport }),
  /** How the host is set up; in full, each time. */
  z.strictObject({ type: z.literal("benchmark"), report: benchmarkReport }),
  /** How one scan gets on: the latest word holds. */
  z.strictObject({ type: z.literal("scan"), scan }),
  /** What containers said to each other since the report before. */
  z.strictObject({ type: z.literal("flows"), report: flowReport }),
  z.strictObject({ type: z.literal("health"), components: z.array(component).max(100) }),
]);
export type AgentRecord = z.infer<typeof record>;

/**
 * Records `first`, `first`+1, … of one spool. A spool is a numbered sequence that never repeats a number, so a batch
 * that is sent twice is stored once: the server keeps the highest number of each spool and passes over what it has.
 */
export const batch = z.strictObject({
  node: z.string().min(1).max(256),
  /** Random id of the spool, made when its folder is made. */
  spool: z.string().min(1).max(64),
  first: z.number().int().min(1),
  records: z.array(record).min(1).max(5000),
});
export type Batch = z.infer<typeof batch>;
