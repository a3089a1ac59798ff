import {
  imageKeyOf,
  severityRank,
  type AgentRecord,
  type Alert,
  type Batch,
  type Component,
  type Container,
  type Event,
  type ImageReport,
} from "@bulwark/model";
import type { Engine, Value } from "../engine.ts";
import type { Tx } from "../schema.ts";
import type { IngestRepository, IngestResult } from "../store.ts";
import { putComponents } from "./health.ts";

export function ingestRepository(engine: Engine): IngestRepository {
  const { write, insertMany } = engine;

  async function store(tx: Tx, batch: Batch, now: number): Promise<IngestResult> {
    const known = await takeSpool(tx, batch);
    const fresh = batch.records.slice(Math.max(0, known + 1 - batch.first));
    const stored = Math.max(known, batch.first + batch.records.length - 1);
    const sorted = sort(fresh);

    await insertMany(tx, "events", eventColumns, sorted.events.map(eventRow));
    await insertMany(
      tx,
      "alerts",
      alertColumns,
      sorted.alerts.map((alert) => alertRow(alert, now)),
    );
    for (const container of sorted.containers) await putContainer(tx, container, now);
    const stopped: Container[] = [];
    for (const { node, running } of sorted.lists) stopped.push(...(await stopOthers(tx, node, running, now)));
    for (const report of sorted.images) await putImage(tx, report);
    await putComponents(tx, sorted.components);
    if (stored > known) await tx.updateTable("spools").set({ stored }).where("id", "=", batch.spool).execute();

    return {
      stored,
      alerts: sorted.alerts.map((alert) => ({ ...alert, state: "open", comment: "", receivedAt: now })),
      containers: [...sorted.containers, ...stopped],
      images: sorted.images,
      components: sorted.components,
    };
  }

  return {
    async write(batch, now) {
      try {
        return await write.transaction().execute(async (tx) => store(tx, batch, now));
      } catch (error) {
        throw engine.explain(error);
      }
    },
  };
}

/** The highest number that the spool has brought. Its row stays locked until the transaction ends. */
async function takeSpool(tx: Tx, { spool, node }: Batch): Promise<number> {
  const { stored } = await tx
    .insertInto("spools")
    .values({ id: spool, node, stored: 0 })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ node }))
    .returning("stored")
    .executeTakeFirstOrThrow();
  return stored;
}

interface Sorted {
  events: Event[];
  alerts: Alert[];
  containers: Container[];
  lists: { node: string; running: string[] }[];
  images: ImageReport[];
  components: Component[];
}

function sort(records: AgentRecord[]): Sorted {
  const sorted: Sorted = { events: [], alerts: [], containers: [], lists: [], images: [], components: [] };
  for (const record of records) {
    switch (record.type) {
      case "event":
        sorted.events.push(record.event);
        break;
      case "alert":
        sorted.alerts.push(record.alert);
        break;
      case "container":
        sorted.containers.push(record.container);
        break;
      case "containers":
        sorted.lists.push(record);
        break;
      case "image":
        sorted.images.push(record.report);
        break;
      case "health":
        sorted.components.push(...record.components);
        break;
    }
  }
  return sorted;
}

const eventColumns = ["time", "node", "kind", "container", "search", "body"] as const;

function eventRow(event: Event): Value[] {
  const { executable, arguments: words } = event.process;
  const search = `${executable} ${words.join(" ")}`.slice(0, 1024).toLowerCase();
  return [event.time, event.node, event.kind, event.container?.id ?? null, search, JSON.stringify(event)];
}

const alertColumns = [
  "id",
  "time",
  "rule",
  "severity",
  "state",
  "comment",
  "container",
  "received_at",
  "search",
  "body",
] as const;

function alertRow(alert: Alert, now: number): Value[] {
  const { container, process } = alert;
  const words = [alert.title, alert.rule, container?.name, container?.image.name, container?.id, container?.pod?.name];
  const evidence = alert.evidence.map(({ value }) => value);
  const search = [...words, process.executable, ...process.arguments, ...evidence]
    .join(" ")
    .slice(0, 4096)
    .toLowerCase();
  return [
    alert.id,
    alert.time,
    alert.rule,
    severityRank(alert.severity),
    "open",
    "",
    container?.id ?? null,
    now,
    search,
    JSON.stringify(alert),
  ];
}

async function putContainer(tx: Tx, container: Container, now: number): Promise<void> {
  const { id, node, name, image, pod, labels } = container;
  const words = [
    id,
    name,
    image.name,
    pod?.name,
    pod?.namespace,
    ...Object.entries(labels).map((label) => label.join("=")),
  ];
  const row = {
    node,
    id,
    image_key: imageKeyOf(container),
    running: container.state === "running" || container.state === "paused" ? 1 : 0,
    privileged: container.privileged ? 1 : 0,
    started_at: container.startedAt ?? 0,
    seen_at: now,
    search: words.join(" ").slice(0, 4096).toLowerCase(),
    body: JSON.stringify(container),
  };
  const { node: _, id: __, ...change } = row;
  await tx
    .insertInto("containers")
    .values(row)
    .onConflict((conflict) => conflict.columns(["node", "id"]).doUpdateSet(change))
    .execute();
}

/** What a node runs no more, even when its end was never told, has stopped. */
async function stopOthers(tx: Tx, node: string, running: string[], now: number): Promise<Container[]> {
  const stopped: Container[] = [];
  const listed = new Set(running);
  const rows = await tx
    .selectFrom("containers")
    .select(["id", "body"])
    .where("node", "=", node)
    .where("running", "=", 1)
    .execute();
  for (const { id, body } of rows) {
    if (listed.has(id)) continue;
    const container: Container = { ...(JSON.parse(body) as Container), state: "stopped", finishedAt: now, pid: null };
    await putContainer(tx, container, now);
    stopped.push(container);
  }
  return stopped;
}

async function putImage(tx: Tx, report: ImageReport): Promise<void> {
  const { key, name, digest, inventory, scannedAt } = report;
  const states = inventory.extractors.map((extractor) => extractor.state);
  const row = {
    key,
    name,
    digest,
    os: inventory.os?.name ?? null,
    packages: inventory.packages.length,
    state: states.find((state) => state === "failed") ?? states.find((state) => state === "partial") ?? "done",
    scanned_at: scannedAt,
    report: JSON.stringify(report),
  };
  const { key: _, ...change } = row;
  await tx
    .insertInto("images")
    .values(row)
    .onConflict((conflict) => conflict.column("key").doUpdateSet(change))
    .execute();
}
