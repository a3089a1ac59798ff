import {
  splitNodeId,
  type ActionRecord,
  type AgentRecord,
  type Alert,
  type Batch,
  type BenchmarkReport,
  type Component,
  type Container,
  type Event,
  type FlowReport,
  type ImageReport,
  type Scan,
  type StoredAlert,
  type ToldRepeats,
  type ToldRule,
} from "@bulwark/model";
import type { Columns, Engine } from "../engine.ts";
import { StoreError } from "../error.ts";
import type { Tx } from "../schema.ts";
import type { IngestRepository, IngestResult } from "../store.ts";
import { putActions } from "./actions.ts";
import { notCounted, takeAuditIds } from "./audit-events.ts";
import { addRepeats, insertAlerts } from "./alerts.ts";
import { packBenchmark, putBenchmarks, type PackedBenchmark } from "./benchmarks.ts";
import { putContainers, stopOthers } from "./containers.ts";
import { blockSize, packEvents, type EventBlock } from "./event-blocks.ts";
import type { FlowSums } from "./flow-sums.ts";
import { packFlows, putFlows, type PackedFlows } from "./flows-ingest.ts";
import { groupCommit } from "./group-commit.ts";
import { putComponents } from "./health.ts";
import { checkOwner } from "./ownership.ts";
import { packImage, type PackedImage } from "./image-contents.ts";
import { putImages } from "./images.ts";
import { putRuleTexts } from "./rule-texts.ts";
import { putScans } from "./scans.ts";

/** Two replicas that write the same image may stop each other; PostgreSQL lets one win and says so to the other. */
const tries = 3;

/**
 * Invariant: the position of the spool and what the batch brought are one transaction. An agent forgets what is below
 * the position that it was told.
 */
export function ingestRepository(engine: Engine, flowSums: Pick<FlowSums, "stored">): IngestRepository {
  async function store(tx: Tx, batch: Batch, ready: Ready, now: number): Promise<IngestResult> {
    const known = await takeSpool(tx, batch);
    const stored = Math.max(known, batch.first + batch.records.length - 1);
    const overlap = Math.max(0, known + 1 - batch.first);
    // That a batch overlaps is rare: a connection broke, or an agent was killed, between writing and answer.
    const fresh = overlap === 0 ? ready : await prepare(batch.records.slice(overlap));
    const { sorted, images, benchmarks, flows } = fresh;
    const { blocks, repeats: again } = await withoutKnown(engine, tx, fresh, now);
    // When a node was heard of last is told by one clock, not by each node's own.
    sorted.components = sorted.components.map((component) => ({ ...component, updatedAt: now }));

    await checkOwner(engine, tx, batch.node, sorted, now);
    await insertEvents(engine, tx, blocks);
    const alerts = await insertAlerts(engine, tx, sorted.alerts, now);
    const repeats = await addRepeats(tx, again);
    await putRuleTexts(engine, tx, sorted.rules, now);
    const stopped: Container[] = [];
    for (const step of sorted.containers) {
      if (step.kind === "put") await putContainers(engine, tx, step.containers, now);
      else stopped.push(...(await stopOthers(engine, tx, step.node, step.running, now)));
    }
    const changed = await putImages(engine, tx, batch.node, images, now);
    await putBenchmarks(engine, tx, benchmarks, now);
    await putComponents(engine, tx, sorted.components);
    const actions = await putActions(tx, sorted.actions, now);
    await putScans(engine, tx, sorted.scans, now);
    await putFlows(engine, tx, flows, now);
    if (stored > known) {
      await tx
        .updateTable("spools")
        .set({ stored })
        .where("node", "=", batch.node)
        .where("id", "=", batch.spool)
        .execute();
    }
    return { stored, ...resultOf(sorted, alerts, stopped, changed), repeats, actions };
  }

  async function write(works: readonly Work[]): Promise<IngestResult[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const stored = await engine.write.transaction().execute(async (tx) => {
          const results: IngestResult[] = [];
          for (const { batch, ready, now } of works) results.push(await store(tx, batch, ready, now));
          return results;
        });
        flowSums.stored(hoursOf(works));
        return stored;
      } catch (error) {
        if (attempt >= tries || !isDeadlock(error)) throw error;
      }
    }
  }
  const together = groupCommit(write, { most: 64 });

  return {
    async write(batch, now) {
      const work = { batch, ready: await prepare(batch.records), now };
      if (isSmall(work)) return together(work);
      const [result] = await write([work]);
      return result as IngestResult;
    },
  };
}

function hoursOf(works: readonly Work[]): Set<number> {
  const rows = works.flatMap(({ ready }) => ready.flows.flatMap((report) => report.rows));
  return new Set(rows.map(({ flow }) => flow.hour));
}

interface Work {
  batch: Batch;
  ready: Ready;
  now: number;
}

/** Whether others may wait for it: what agents send that see little. */
function isSmall({ batch, ready: { images, benchmarks } }: Work): boolean {
  return batch.records.length <= 32 && images.length === 0 && benchmarks.length === 0;
}

/** A batch as it goes into the tables. Made before the transaction, which others wait for. */
interface Ready {
  sorted: Sorted;
  blocks: EventBlock[];
  images: PackedImage[];
  benchmarks: PackedBenchmark[];
  flows: PackedFlows[];
}

async function prepare(records: AgentRecord[]): Promise<Ready> {
  const sorted = sort(records);
  const blocks = await packEvents(sorted.events);
  const images = await Promise.all(sorted.images.map(packImage));
  const benchmarks = await Promise.all(sorted.benchmarks.map(packBenchmark));
  return { sorted, blocks, images, benchmarks, flows: sorted.flows.map(packFlows) };
}

/** Without audit records that came by another way, too, and without what was counted of them then. */
async function withoutKnown(
  engine: Engine,
  tx: Tx,
  { sorted: { events, repeats }, blocks }: Pick<Ready, "blocks"> & { sorted: Pick<Sorted, "events" | "repeats"> },
  now: number,
): Promise<{ blocks: EventBlock[]; repeats: ToldRepeats[]; known: number }> {
  const seen = await takeAuditIds(engine, tx, { events, repeats }, now);
  const fresh = events.filter(({ id }) => !seen.has(id));
  const known = events.length - fresh.length;
  return { blocks: known === 0 ? blocks : await packEvents(fresh), repeats: notCounted(repeats, seen), known };
}

/** Stores events that come without a spool. Audit records among them that are known already are passed over. */
export async function appendEvents(
  engine: Engine,
  told: readonly Event[],
  now: number,
): Promise<{ stored: number; known: number }> {
  const events = [...new Map(told.map((event) => [event.id, event])).values()];
  if (events.length === 0) return { stored: 0, known: 0 };
  const packed = await packEvents(events);
  return engine.write.transaction().execute(async (tx) => {
    const { blocks, known } = await withoutKnown(engine, tx, { sorted: { events, repeats: [] }, blocks: packed }, now);
    await insertEvents(engine, tx, blocks);
    return { stored: events.length - known, known };
  });
}

/** The highest number that the spool of this node has brought. Its row stays locked until the transaction ends. */
async function takeSpool(tx: Tx, { spool, node }: Batch): Promise<number> {
  const { stored } = await tx
    .insertInto("spools")
    .values({ id: spool, node, stored: 0 })
    .onConflict((conflict) => conflict.columns(["node", "id"]).doUpdateSet({ node }))
    .returning("stored")
    .executeTakeFirstOrThrow();
  return stored;
}

interface Sorted {
  events: Event[];
  alerts: Alert[];
  repeats: ToldRepeats[];
  rules: ToldRule[];
  /** In the order in which they were told: a container may start after a list that does not have it. */
  containers: ContainerStep[];
  images: ImageReport[];
  benchmarks: BenchmarkReport[];
  components: Component[];
  actions: ActionRecord[];
  scans: Scan[];
  flows: FlowReport[];
}
type ContainerStep =
  | { kind: "put"; containers: Container[] }
  | { kind: "list"; node: string; running: readonly string[] };

function sort(records: AgentRecord[]): Sorted {
  const sorted: Sorted = {
    ...{ events: [], alerts: [], repeats: [], rules: [], containers: [], images: [], actions: [] },
    ...{ benchmarks: [], components: [], scans: [], flows: [] },
  };
  for (const record of records) {
    switch (record.type) {
      case "event":
        sorted.events.push(record.event);
        break;
      case "alert":
        sorted.alerts.push(record.alert);
        break;
      case "repeats":
        sorted.repeats.push(...record.repeats);
        break;
      case "rule":
        sorted.rules.push(record.rule);
        break;
      case "container": {
        const last = sorted.containers.at(-1);
        if (last?.kind === "put") last.containers.push(record.container);
        else sorted.containers.push({ kind: "put", containers: [record.container] });
        break;
      }
      case "containers":
        sorted.containers.push({ kind: "list", node: record.node, running: record.running });
        break;
      case "image":
        sorted.images.push(record.report);
        break;
      case "action":
        sorted.actions.push(record.action);
        break;
      case "benchmark":
        sorted.benchmarks.push(record.report);
        break;
      case "scan":
        sorted.scans.push(record.scan);
        break;
      case "flows":
        sorted.flows.push(record.report);
        break;
      case "health":
        sorted.components.push(...record.components);
        break;
    }
  }
  return sorted;
}

function resultOf(
  sorted: Sorted,
  alerts: StoredAlert[],
  stopped: Container[],
  changed: ReadonlySet<string>,
): Omit<IngestResult, "stored" | "repeats" | "actions"> {
  const containers = sorted.containers.flatMap((step) => (step.kind === "put" ? step.containers : []));
  const images = sorted.images.filter(({ key }) => changed.has(key));
  return {
    alerts,
    containers: [...containers, ...stopped],
    images,
    components: sorted.components,
    scans: sorted.scans,
    flows: [...new Set(sorted.flows.map(({ node }) => splitNodeId(node).cluster))],
  };
}

const blockColumns: Columns = { id: "bigint", max_time: "bigint", events: "bigint", bytes: "bigint", body: "blob" };
const eventColumns: Columns = { id: "bigint", time: "bigint", kind: "text", container: "bigint", search: "text" };

async function insertEvents(engine: Engine, tx: Tx, blocks: EventBlock[]): Promise<void> {
  if (blocks.length === 0) return;
  const ids = await engine.blockIds(tx, blocks.length);
  const numbered = blocks.map((block, index) => ({ ...block, id: ids[index] ?? 0 }));
  await engine.insertMany(
    tx,
    "event_blocks",
    blockColumns,
    numbered.map(({ id, maxTime, rows, bytes, body }) => [id, maxTime, rows.length, bytes, body]),
    "",
  );
  await engine.insertMany(
    tx,
    "events",
    eventColumns,
    numbered.flatMap(({ id, rows }) =>
      rows.map((row, place) => [id * blockSize + place, row.time, row.kind, row.container, row.search]),
    ),
    "",
  );
}

/** deadlock_detected and serialization_failure of PostgreSQL. */
function isDeadlock(error: unknown): boolean {
  if (error instanceof StoreError || !(error instanceof Error) || !("code" in error)) return false;
  return error.code === "40P01" || error.code === "40001";
}
