/** Several `bulwark serve` on one PostgreSQL and one NATS, and agents that send to them: all real processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, routes, type Client } from "@bulwark/contract";
import type { AgentRecord } from "@bulwark/model";
import { openStore, type Store } from "@bulwark/store";
import { parseJoinToken } from "@bulwark/identity";
import { createLogger } from "@bulwark/telemetry";
import {
  freePort,
  run,
  sampleEvent,
  startNats,
  startPostgres,
  type TestNats,
  type TestPostgres,
} from "@bulwark/testkit";
import { Connection } from "../apps/agent/src/connection.ts";
import type { Ticket } from "../apps/agent/src/identity.ts";
import { folderKeeper } from "../apps/agent/src/keeper.ts";
import { Spool } from "../apps/agent/src/spool.ts";
import { Uplink } from "../apps/agent/src/uplink.ts";
import { bulwark, startProduct, type Product } from "./product.ts";

export interface World extends AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly nats: TestNats;
  readonly folder: string;
  /** What is in the database, whatever a replica says. */
  readonly store: Store;
  replicas: Replica[];
  /** Starts one more, or one again that has ended. */
  start(name: string, env?: NodeJS.ProcessEnv): Promise<Replica>;
  /** A token for any node. */
  token(): string;
}

export interface Replica extends Product {
  readonly name: string;
  readonly agentsUrl: string;
}

const quiet = "agent:\n  runtimes: { containerd: [], docker: [], cri-o: [], podman: [], runc: [], crun: [] }\n";

export async function startWorld(names: readonly string[]): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-replicas-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = stack.use(await startPostgres());
  const nats = stack.use(await startNats());
  const ports = new Map<string, number>();
  const replicas: Replica[] = [];
  stack.defer(async () => {
    await Promise.all(replicas.map(async (replica) => replica[Symbol.asyncDispose]()));
  });

  async function start(name: string, env: NodeJS.ProcessEnv = {}): Promise<Replica> {
    const agentsPort = ports.get(name) ?? (await freePort());
    ports.set(name, agentsPort);
    const product = await startProduct({
      command: "serve",
      data: join(folder, name),
      config: `${quiet}server: { replica: ${name}, agents: { port: ${agentsPort} } }\n`,
      env: {
        DATABASE_URL: postgres.url,
        NATS_URL: nats.url,
        BULWARK_KEY: "the same key for every replica, 32",
        ...env,
      },
    });
    const replica = { ...product, name, api: async () => product.api() };
    const before = replicas.findIndex((one) => one.name === name);
    if (before >= 0) await replicas[before]?.[Symbol.asyncDispose]();
    replicas.splice(before < 0 ? replicas.length : before, before < 0 ? 0 : 1, replica);
    return replica;
  }

  for (const name of names) await start(name);
  const store = stack.use(await openStore({ postgresql: postgres.url }));
  const open = stack.move();
  return {
    postgres,
    nats,
    folder,
    store,
    replicas,
    start,
    token() {
      const data = replicas.find(({ process }) => process.exitCode === null && process.signalCode === null)?.data ?? "";
      return run(bulwark, ["join", "--any", "--data", data]).trim();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** The same session at another replica. */
export function clientAt(replica: { url: string }, headers: Record<string, string>): Client {
  return createClient(routes, { base: replica.url, headers: () => headers });
}

/** The agent's own way from the spool to the server, without a sensor: a test says what is seen. */
export interface Sender extends AsyncDisposable {
  readonly node: string;
  /** Events that were given to it so far. */
  readonly sent: number;
  readonly uplink: Uplink;
  /** Milliseconds since the epoch at which the server had a batch. */
  readonly acknowledged: number[];
  /** Revisions of the settings that the server told. */
  readonly settings: number[];
  waiting(): number;
  send(count: number): Promise<void>;
  emit(records: AgentRecord[]): Promise<void>;
}

export async function startSender(options: {
  node: string;
  servers: readonly string[];
  /** A join token, or whoever gives the ticket. */
  token: string | (() => Promise<Ticket | undefined>);
  folder: string;
}): Promise<Sender> {
  const { node, servers, token, folder } = options;
  const log = createLogger("test");
  log.level = process.env["BULWARK_LOG"] ?? "silent";
  const spool = await Spool.open({ folder: join(folder, "spool"), limit: 1e9 });
  const connection = new Connection({
    servers,
    credentials: {
      kind: "certificate",
      keeper: folderKeeper(join(folder, "identity")),
      node,
      ticket: typeof token === "string" ? async () => ({ text: token, ...parseJoinToken(token) }) : token,
    },
  });
  const acknowledged: number[] = [];
  const settings: number[] = [];
  const onSettings = (revision: number): void => {
    acknowledged.push(Date.now());
    if (settings.at(-1) !== revision) settings.push(revision);
  };
  const uplink = new Uplink({ connection, node, spool, log, onSettings });
  let sent = 0;

  async function emit(records: AgentRecord[]): Promise<void> {
    spool.append(records);
    await spool.sync();
    uplink.kick();
  }

  return {
    node,
    uplink,
    acknowledged,
    settings,
    get sent() {
      return sent;
    },
    waiting: () => spool.size.records,
    emit,
    async send(count) {
      const events = Array.from({ length: count }, (_, n): AgentRecord => ({
        type: "event",
        event: sampleEvent(sent + n, { node, id: `${node}/run/${sent + n}`, time: Date.now() }),
      }));
      sent += count;
      await emit(events);
    },
    async [Symbol.asyncDispose]() {
      await uplink.stop();
      connection.close();
      await spool.close();
    },
  };
}

/** Longest time in which the server acknowledged nothing. */
export function longestGap(times: readonly number[]): number {
  return times.slice(1).reduce((longest, time, index) => Math.max(longest, time - (times[index] ?? time)), 0);
}

/** How many events of each node the database has, and how many of them twice. */
export async function countEvents(store: Store): Promise<{ arrived: Map<string, number>; twice: number }> {
  const seen = new Set<string>();
  const arrived = new Map<string, number>();
  let twice = 0;
  for (let cursor: string | undefined; ;) {
    const { items, next } = await store.events.list({}, { cursor, limit: 500 });
    for (const { id, node } of items) {
      if (seen.has(id)) twice++;
      else arrived.set(node, (arrived.get(node) ?? 0) + 1);
      seen.add(id);
    }
    if (next === null) return { arrived, twice };
    cursor = next;
  }
}
