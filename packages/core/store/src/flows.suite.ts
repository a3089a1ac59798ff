import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { FlowHour, FlowReport, NetworkEnd, NetworkPolicyDocument } from "@bulwark/model";
import type { FlowFilter, Store } from "./store.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** The beginning of an hour. */
const now = 472_222 * hour;

const pod = (name: string, number: number, ip: string, namespace = "shop"): NetworkEnd => ({
  ...{ ip, name: null },
  workload: {
    ...{ namespace, name, kind: "Deployment", pod: `${name}-${number}`, labels: { app: name } },
    ...{ serviceAccount: "default", node: "node-1" },
  },
});
const web = pod("web", 1, "10.0.0.1");
const db = pod("db", 1, "10.0.0.2");

function flow(more: Partial<FlowHour> = {}): FlowHour {
  const { first = now + 1000, hour: at = Math.floor(first / hour) * hour } = more;
  return {
    ...{ hour: at, side: "client", client: web, server: db, port: 5432, protocol: "TCP" },
    ...{ connections: 1, flows: 1, bytesOut: 10, bytesIn: 20, encrypted: 0, credential: false },
    results: { established: 1, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
    ...{ tls: [], clear: [], processes: ["web"], deniedBy: [], first, last: first },
    ...more,
  };
}

/** What every engine must do with flows, and with network policies that were published. */
export function flowsContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`flows on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    const next = new Map<string, number>();
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });

    async function send(flows: FlowHour[], more: Partial<FlowReport> & { first?: number } = {}): Promise<number> {
      const { node = "node-1", from = now, until = now + 60_000, lost = 0 } = more;
      const first = more.first ?? next.get(node) ?? 1;
      next.set(node, first + 1);
      const record = { type: "flows" as const, report: { node, from, until, flows, lost } };
      await store.ingest.write({ node, spool: `s-${node}`, first, records: [record] }, now + 120_000);
      return first;
    }
    const sums = async (filter: Partial<FlowFilter> = {}, limit = 100) =>
      store.flows.sums({ since: now - day, until: now + day, ...filter }, limit);

    test("counts add up within an hour, words are united, and what is sent twice counts once", async () => {
      await send([flow(), flow({ processes: ["curl"], tls: ["1.3"], encrypted: 1, credential: true })]);
      const again = await send([flow({ processes: ["psql"], first: now + 5000, last: now + 9000 })]);
      await send([flow({ processes: ["psql"], first: now + 5000, last: now + 9000 })], { first: again });
      const { items } = await sums();
      assert.equal(items.length, 1);
      const [edge] = items;
      assert.deepEqual(
        { ...edge, pair: "", hour: now },
        {
          ...flow({ connections: 3, flows: 3, bytesOut: 30, bytesIn: 60, encrypted: 1, credential: true }),
          ...{ processes: ["curl", "psql", "web"], tls: ["1.3"], first: now + 1000, last: now + 9000 },
          results: { established: 3, refused: 0, "timed-out": 0, denied: 0, unknown: 0 },
          ...{ cluster: "default", hours: 1, pair: "" },
        },
      );
    });

    test("an end is who it was then: a later owner of the address is another", async () => {
      const later = pod("cart", 1, "10.0.0.1");
      await send([flow({ client: later, first: now + 2 * hour })], { from: now + 60_000, until: now + 2 * hour });
      const { items } = await sums();
      assert.deepEqual(items.map(({ client }) => client.workload?.name ?? "").sort(), ["cart", "web"]);
    });

    test("is found by time, cluster, namespace and key of any grain, a page at a time", async () => {
      await send([flow({ client: pod("scrape_all", 1, "10.0.0.9", "ops") })], { node: "east/node-1" });
      const names = async (filter: Partial<FlowFilter>): Promise<string[]> =>
        (await sums(filter)).items.map(({ client }) => client.workload?.name ?? "").sort();
      assert.deepEqual(await names({ cluster: "east" }), ["scrape_all"]);
      assert.deepEqual(await names({ namespace: "ops" }), ["scrape_all"]);
      assert.deepEqual(await names({ namespace: "op_" }), [], "no pattern of the database");
      assert.deepEqual(await names({ since: now + hour }), ["cart"]);
      assert.equal((await sums({}, 1)).truncated, true);
      const all = { since: now - day, until: now + day };
      const keys = async (client: string): Promise<number> =>
        (await store.flows.hours({ ...all, client }, { limit: 10 })).items.length;
      assert.deepEqual(
        await Promise.all(["shop/", "shop/web", "shop/web/web-1", "shop/we", "/"].map(keys)),
        [2, 1, 1, 0, 0],
      );
      const page = await store.flows.hours(all, { limit: 2 });
      const rest = await store.flows.hours(all, { limit: 2, cursor: page.next ?? undefined });
      assert.deepEqual([page.items.length, rest.items.length, rest.next], [2, 1, null]);
      assert.equal(page.items[0]?.client.workload?.name, "cart", "latest first");
      assert.deepEqual((await store.flows.hours({ ...all, port: 1 }, { limit: 2 })).items, []);
    });

    test("what is new is known: pods come and go, workloads stay", async () => {
      const before = (await sums({ since: now - day })).items.find(({ client }) => client.workload?.name === "web");
      await send([flow({ client: pod("web", 2, "10.0.0.7"), first: now + 3 * hour })], { from: now, until: now });
      const pairs = (await sums()).items
        .filter(({ client }) => client.workload?.name === "web")
        .map(({ pair }) => pair);
      assert.equal(new Set(pairs).size, 1);
      const seen = await store.flows.firstSeen([...pairs, "unknown"]);
      assert.deepEqual([...seen], [[before?.pair, now + 1000]]);
    });

    test("a day that was asked for before is right when more of it comes late, and when hours pass", async () => {
      const start = now - 40 * day;
      const node = "late";
      const lone = (at: number, connections: number, name = "web"): FlowHour =>
        flow({ client: pod(name, 9, "10.0.9.9"), first: at + 1000, last: at + 2000, connections });
      const tell = async (...flows: FlowHour[]): Promise<number> => send(flows, { node, from: start, until: start });
      const told = async (since: number, until: number): Promise<[string, number, number][]> => {
        const { items } = await store.flows.sums({ since, until }, 100);
        return items.map(({ client, connections, hours }) => [client.workload?.name ?? "", connections, hours]);
      };
      await tell(...Array.from({ length: 24 }, (_, index) => lone(start + index * hour, 1)));
      const [since, until] = [start + 1500, start + 23.5 * hour];
      assert.deepEqual(await told(since, until), [["web", 24, 24]]);
      await tell(lone(start + 5 * hour, 10), lone(start + 23 * hour, 100));
      assert.deepEqual(await told(since, until), [["web", 134, 24]]);
      await tell(lone(start + 7 * hour, 500, "new"));
      assert.deepEqual(await told(since, until), [
        ["new", 500, 1],
        ["web", 134, 24],
      ]);
      assert.deepEqual(await told(start + 2500, until + 2 * hour), [
        ["new", 500, 1],
        ["web", 133, 23],
      ]);
      assert.deepEqual((await store.flows.sums({ since, until, namespace: "nobody" }, 100)).items, []);
      assert.deepEqual(await told(start + 6 * hour, start + 8 * hour), [
        ["new", 500, 1],
        ["web", 2, 2],
      ]);
      const first = await store.flows.sums({ since, until }, 1);
      assert.deepEqual([first.truncated, first.items[0]?.connections], [true, 500]);
    });

    test("says when nobody watched, and what was lost", async () => {
      await send([], { node: "gap", from: now, until: now + 60_000, lost: 3 });
      await send([], { node: "gap", from: now + 61_000, until: now + 120_000 });
      await send([], { node: "gap", from: now + hour, until: now + 2 * hour, lost: 4 });
      const { watches, lost } = await store.flows.watches({ since: now - day, until: now + day });
      assert.deepEqual(
        watches.filter(({ node }) => node === "gap").map(({ since, until }) => [since - now, until - now]),
        [
          [0, 120_000],
          [hour, 2 * hour],
        ],
      );
      assert.equal(lost.find(({ node }) => node === "gap")?.lost, 7);
      assert.equal((await store.flows.began()).get("east"), now);
    });

    test(
      "a node fills so many rows of an hour; what is beyond is lost, and counted",
      { timeout: 120_000 },
      async () => {
        const ports = Array.from({ length: 21_000 }, (_, index) => index + 1);
        for (let at = 0; at < ports.length; at += 2000) {
          await send(
            ports.slice(at, at + 2000).map((port) => flow({ port })),
            { node: "scanned" },
          );
        }
        const { lost } = await store.flows.watches({ since: now - day, until: now + day });
        assert.equal(lost.find(({ node }) => node === "scanned")?.lost, 1000);
        await send([flow({ port: 1 })], { node: "scanned" });
        const { items } = await store.flows.hours(
          { since: now, until: now + hour, port: 1, client: "shop/web" },
          { limit: 9 },
        );
        assert.equal(items.find(({ node }) => node === "scanned")?.connections, 2, "what has room goes on");
      },
    );

    test("a clock that is days ahead writes nothing that would stay for ever", async () => {
      const later = 400_000 * day;
      await send([flow({ first: later })], { node: "ahead", from: later, until: later + 1 });
      const { watches, lost } = await store.flows.watches({ since: now - day, until: later + day });
      assert.deepEqual(
        watches.filter(({ node }) => node === "ahead"),
        [],
      );
      assert.equal(lost.find(({ node }) => node === "ahead")?.lost, 1);
    });

    test("what is old goes, with its ends", async () => {
      const limits = { flowDays: 1, assetDays: 30 };
      await store.retain(limits, now + 40 * day);
      assert.deepEqual((await sums({ since: 0, until: now + 50 * day })).items, []);
      assert.deepEqual((await store.flows.watches({ since: 0, until: now + 50 * day })).watches, []);
    });

    test("published policies change from one state to the next once", async () => {
      const { networkDocuments } = store;
      const document = (id: string, time: number): NetworkPolicyDocument => ({
        ...{ id, cluster: "east", mode: "enforce", state: "published", text: "kind: NetworkPolicy\0", policies: [] },
        ...{ removed: [], reason: "", published: { time, by: "admin" }, confirmBefore: time + 60_000 },
        ...{ confirmed: null, undone: null, problem: "", remedy: "" },
      });
      await networkDocuments.add(document("a", now), '[{"before":true}]');
      await networkDocuments.add(document("b", now + 1), "[]");
      assert.equal(await networkDocuments.before("a"), '[{"before":true}]');
      assert.deepEqual(
        (await networkDocuments.list({ cluster: "east" }, { limit: 9 })).items.map(({ id }) => id),
        ["b", "a"],
      );
      assert.deepEqual(
        (await networkDocuments.due(now + 60_000)).map(({ id }) => id),
        ["a"],
      );
      const confirmed = { ...document("a", now), state: "confirmed" as const, confirmBefore: null };
      assert.equal(await networkDocuments.change(confirmed, "published"), true);
      assert.equal(await networkDocuments.change({ ...confirmed, state: "undone" }, "published"), false);
      assert.equal((await networkDocuments.get("a"))?.state, "confirmed");
      assert.deepEqual(
        (await networkDocuments.due(now + 60_001)).map(({ id }) => id),
        ["b"],
      );
    });
  });
}
