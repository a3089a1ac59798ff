import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { imageKeyOf, type AgentRecord, type Container, type Scan } from "@bulwark/model";
import { sampleContainer } from "@bulwark/testkit";
import type { Store } from "./store.ts";

const now = 1_700_000_100_000;
const silence = 60_000;
const place = "registry:r1";
const ordinary = { pushed: false, again: false };

/** What every engine must do with the queue of scans. */
export function scansContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`scans on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });
    let batches = 0;
    const write = async (...records: AgentRecord[]): Promise<void> => {
      batches++;
      await store.ingest.write({ node: "node-1", spool: `spool-${batches}`, first: 1, records }, now);
    };
    const image = (container: Container): { key: string; name: string } => ({
      key: imageKeyOf(container),
      name: container.image.name,
    });
    const other = (n: number): { key: string; name: string } => ({
      key: `registry.example/app-${n}:1@sha256:${String(n).padStart(64, "0")}`,
      name: `registry.example/app-${n}:1`,
    });
    const claimed = async (at = now): Promise<string | undefined> => (await store.scans.claim(silence, at))?.name;

    test("what was pushed first, then what runs somewhere, also what began to run meanwhile, then the rest", async () => {
      const [runs, begins] = [sampleContainer(1), sampleContainer(2)];
      await write({ type: "container", container: runs });
      await store.scans.queue(place, [other(1), other(2), image(begins), image(runs)], ordinary, now);
      await store.scans.queue(place, [other(3)], { pushed: true, again: false }, now + 1);
      assert.equal(await claimed(), other(3).name);
      await write({ type: "container", container: begins });
      const waiting = (await store.scans.list({ state: "waiting" }, { limit: 10 })).items;
      assert.equal(waiting.length, 4);
      const two = new Set([await claimed(), await claimed()]);
      assert.deepEqual(two, new Set([begins.image.name, runs.image.name]));
      assert.deepEqual([await claimed(), await claimed(), await claimed()], [other(1).name, other(2).name, undefined]);
    });

    test("a scan whose replica says nothing any more is another's; what nodes do is nobody's else", async () => {
      await store.scans.forget(place);
      const { key, name: image } = other(9);
      const ofNode: Scan = {
        ...{ place: "node-1", key, name: image, origin: "node", state: "waiting", attempts: 0, reason: "", done: 0 },
        ...{ total: null, queuedAt: now, startedAt: null, finishedAt: null, nextAt: null },
      };
      await write({ type: "scan", scan: ofNode });
      assert.equal(await claimed(), undefined);
      await store.scans.queue(place, [other(4)], ordinary, now);
      assert.equal(await claimed(), other(4).name);
      assert.equal(await claimed(now + silence), undefined);
      assert.equal(await claimed(now + silence + 1), other(4).name);
    });

    test("the list tells what waits in that order: containers' images, those of nodes, those of registries", async () => {
      await store.scans.forget(place);
      const scanOf = (n: number, origin: Scan["origin"]): Scan => ({
        ...{ place: "node-1", ...other(n), origin, state: "waiting", attempts: 0, reason: "", done: 0 },
        ...{ total: null, queuedAt: now + n, startedAt: null, finishedAt: null, nextAt: null },
      });
      await store.scans.queue(place, [other(20)], ordinary, now);
      await write({ type: "scan", scan: scanOf(21, "node") }, { type: "scan", scan: scanOf(22, "running") });
      const { items } = await store.scans.list({ state: "waiting" }, { limit: 10 });
      const order = items.map(({ origin }) => origin);
      assert.deepEqual(
        order,
        order.toSorted((a, b) => origins.indexOf(a) - origins.indexOf(b)),
      );
      assert.deepEqual(new Set(order), new Set(origins));
    });
  });
}

const origins = ["running", "node", "registry"];
