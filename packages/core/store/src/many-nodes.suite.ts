import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AgentRecord, ImageReport } from "@bulwark/model";
import { sampleAlert, sampleContainer, sampleEvent, sampleReport, sampleSecret } from "@bulwark/testkit";
import type { AgentCertificate, EnrolRefusal, Store } from "./store.ts";

const now = 1_700_000_100_000;
const minute = 60_000;

/** What every engine must hold when there are many nodes, one of which may have been taken over. */
export function manyNodesContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`many nodes on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    const numbers = new Map<string, number>();
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });

    async function send(node: string, records: AgentRecord[], at = now) {
      const first = (numbers.get(node) ?? 0) + 1;
      const result = await store.ingest.write({ node, spool: "spool", first, records }, at);
      numbers.set(node, first + records.length - 1);
      return result;
    }

    async function packagesOf(key: string): Promise<string[][]> {
      const reports = await store.images.contents(key);
      return reports
        .map(({ inventory }) => inventory.packages.map(({ version }) => version))
        .toSorted((a, b) => a.length - b.length);
    }

    test("no node makes an image look sound that another node also has", async () => {
      const honest = sampleReport(1);
      const empty = changed(honest, []);
      const { key } = honest;
      // The one that was taken over comes first, with a clock that is far ahead.
      const early = { ...empty, scannedAt: now + 365 * 24 * 60 * minute };
      assert.equal((await send("evil", [{ type: "image", report: early }])).images.length, 1);
      // Evenly told: all holds, and it is said that nodes disagree.
      assert.equal((await send("node-1", [{ type: "image", report: honest }])).images.length, 1);
      assert.deepEqual(await packagesOf(key), [[], versions(honest)]);
      const shown = await store.images.report(key);
      assert.deepEqual(
        shown?.inventory.extractors.filter(({ extractor }) => extractor === "agreement").map(({ state }) => state),
        ["partial"],
      );
      assert.equal((await store.images.summary(key))?.state, "partial");
      // Most say otherwise: the one is not heard, however often it speaks.
      assert.equal((await send("node-2", [{ type: "image", report: honest }])).images.length, 1);
      assert.deepEqual(await packagesOf(key), [versions(honest)]);
      for (let n = 0; n < 3; n++)
        assert.equal((await send("evil", [{ type: "image", report: empty }])).images.length, 0);
      assert.deepEqual(await packagesOf(key), [versions(honest)]);
      assert.equal((await store.images.summary(key))?.state, "done");
      assert.equal((await store.images.summary(key))?.packages, 1);
    });

    test("a scan that failed says nothing against one that did not, and a node corrects itself", async () => {
      const good = { ...sampleReport(2), key: "failed-first", digest: null };
      const broken: ImageReport = {
        ...good,
        inventory: { os: null, packages: [], extractors: [{ extractor: "image", state: "failed", errors: [] }] },
      };
      for (const node of ["a", "b"]) await send(node, [{ type: "image", report: broken }]);
      assert.equal((await store.images.summary(good.key))?.state, "failed");
      await send("c", [{ type: "image", report: good }]);
      assert.deepEqual(await packagesOf(good.key), [versions(good)]);
      const newer = changed(good, ["9.9"]);
      assert.equal((await send("c", [{ type: "image", report: newer }])).images.length, 1);
      assert.deepEqual(await packagesOf(good.key), [["9.9"]]);
      // Found again, it is not news.
      const again = { ...newer, scannedAt: newer.scannedAt + 5, durationMs: 1 };
      assert.equal((await send("c", [{ type: "image", report: again }])).images.length, 0);
      // Who has read it and fails today takes nothing back.
      assert.equal((await send("c", [{ type: "image", report: broken }])).images.length, 0);
      assert.deepEqual(await packagesOf(good.key), [["9.9"]]);
    });

    test("who read the layers and who read a container's root do not contradict each other: both hold", async () => {
      const layers = { ...sampleReport(4), key: "two-ways", digest: null, secrets: [], malware: [] };
      const root: ImageReport = { ...changed(layers, ["1.1"]), source: "rootfs" };
      await send("a", [{ type: "image", report: layers }]);
      await send("b", [{ type: "image", report: root }]);
      await send("c", [{ type: "image", report: root }]);
      assert.deepEqual(await packagesOf(layers.key), [versions(layers), ["1.1"]]);
      assert.equal((await store.images.summary(layers.key))?.state, "done");
      // So a node that says that it read the layers, and found nothing, hides nothing that others saw.
      await send("a", [{ type: "image", report: changed(layers, []) }]);
      assert.deepEqual(await packagesOf(layers.key), [[], ["1.1"]]);
    });

    test("a node that leaves out a secret says something else than one that tells of it", async () => {
      const honest: ImageReport = { ...sampleReport(5), key: "with-secret", digest: null, secrets: [sampleSecret(1)] };
      await send("evil", [{ type: "image", report: { ...honest, secrets: [] } }]);
      await send("node-1", [{ type: "image", report: honest }]);
      const told = (await store.images.contents(honest.key)).map(({ secrets }) => secrets?.length);
      assert.deepEqual(new Set(told), new Set([0, 1]));
    });

    test("a node that is gone loses its voice with the time that assets are kept", async () => {
      const report = { ...sampleReport(3), key: "gone", digest: null };
      await send("gone-1", [{ type: "image", report: changed(report, []) }], now - 40 * 24 * 60 * minute);
      await send("gone-2", [{ type: "image", report: changed(report, []) }], now - 40 * 24 * 60 * minute);
      await send("here", [{ type: "image", report }]);
      assert.deepEqual(await packagesOf("gone"), [[]]);
      await store.retain({ assetDays: 30 }, now);
      await send("here", [{ type: "image", report }]);
      assert.deepEqual(await packagesOf("gone"), [versions(report)]);
    });

    test("a node cannot speak of a container that another node has, while that node lives", async () => {
      const id = "ab".repeat(32);
      const container = sampleContainer(1, { node: "owner", id });
      const health: AgentRecord = { type: "health", components: [component("owner")] };
      await send("owner", [{ type: "container", container }, health]);
      const stolen = { ...container, node: "evil" };
      const lies: AgentRecord[] = [
        { type: "event", event: sampleEvent(1, { node: "evil", container: { ...refOf(container) } }) },
        { type: "alert", alert: sampleAlert(1, { node: "evil", container: { ...refOf(container) } }) },
        { type: "container", container: stolen },
        { type: "containers", node: "evil", running: [id] },
      ];
      for (const lie of lies) await assert.rejects(send("evil", [lie], now + minute), { code: "foreign" });
      // Nor does it keep out what others send at the same moment.
      const nodes = Array.from({ length: 20 }, (_, n) => `beside-${n}`);
      const outcomes = await Promise.allSettled([
        ...nodes
          .slice(0, 10)
          .map(async (node) => send(node, [{ type: "event", event: sampleEvent(1, { node, id: node }) }])),
        send("evil", lies, now + minute),
        ...nodes
          .slice(10)
          .map(async (node) => send(node, [{ type: "event", event: sampleEvent(1, { node, id: node }) }])),
      ]);
      assert.deepEqual(
        outcomes.map((it) => (it.status === "fulfilled" ? it.value.stored : (it.reason as { code: string }).code)),
        [...nodes.slice(0, 10).map(() => 1), "foreign", ...nodes.slice(10).map(() => 1)],
      );
      assert.equal((await store.containers.get(id))?.node, "owner");
      assert.equal((await store.events.list({ container: id }, { limit: 5 })).items.length, 0);
      // A node that nobody has heard of for long has come back under another name.
      await send("renamed", [{ type: "container", container: { ...container, node: "renamed" } }], now + 10 * minute);
      assert.equal((await store.containers.get(id))?.node, "renamed");
    });

    test("when a node was heard of is told by the server's clock", async () => {
      const ahead = { ...component("fast"), updatedAt: now + 60 * minute };
      await send("fast", [{ type: "health", components: [ahead] }]);
      const found = (await store.health.list()).find(({ node }) => node === "fast");
      assert.equal(found?.updatedAt, now);
      await store.health.forget("fast", now);
      assert.ok((await store.health.list()).some(({ node }) => node === "fast"));
      await store.health.forget("fast");
      assert.ok(!(await store.health.list()).some(({ node }) => node === "fast"));
    });

    test("a token for any node joins nodes that have no agent, until its time is over", async () => {
      await store.agents.addJoinToken(token("any", null));
      assert.equal(await enrol("any", "worker-1", "key-1"), null);
      assert.equal(await enrol("any", "worker-2", "key-2"), null);
      // The answer was lost: the same key asks again. Another key is somebody else.
      assert.equal(await enrol("any", "worker-1", "key-1"), null);
      assert.equal(await enrol("any", "worker-1", "thief"), "taken");
      assert.equal(await enrol("any", "worker-3", "key-3", now + 61 * minute), "unknown-token");
      assert.equal(await enrol("none", "worker-3", "key-3"), "unknown-token");
      const listed = (await store.agents.list(now)).map(({ node, cluster }) => `${cluster}/${node}`);
      assert.deepEqual(listed, ["east/worker-1", "east/worker-2"]);
    });

    test("a token for one node works once, for that node, and takes it over", async () => {
      await store.agents.addJoinToken(token("one", "worker-1"));
      assert.equal(await enrol("one", "worker-2", "new"), "other-node");
      assert.equal(await enrol("one", "worker-1", "new"), null);
      assert.equal(await enrol("one", "worker-1", "new"), null);
      assert.equal(await enrol("one", "worker-1", "thief"), "used");
      const before = await store.agents.byFingerprint("worker-1/key-1/1");
      assert.equal(before?.revokedAt, now);
    });

    test("revoking ends every certificate of a node and of no other", async () => {
      const held = (await store.agents.list(now)).find(({ node }) => node === "worker-2");
      assert.ok(held);
      await store.agents.renew({ ...held, fingerprint: "renewed", issuedAt: now + 1 });
      assert.equal(await store.agents.revoke({ cluster: "east", node: "worker-2" }, now + 2), 2);
      assert.equal(await store.agents.revoke({ cluster: "east", node: "worker-2" }, now + 3), 0);
      assert.equal((await store.agents.byFingerprint("renewed"))?.revokedAt, now + 2);
      const other = (await store.agents.list(now)).find(({ node }) => node === "worker-1");
      assert.equal(other?.revokedAt, null);
      await store.agents.touch("renewed", "192.0.2.1", now + 5);
      assert.equal((await store.agents.byFingerprint("renewed"))?.seenAt, now + 5);
      assert.ok((await store.agents.forget(now + 1e12)) > 0);
      assert.deepEqual(await store.agents.list(now), []);
    });

    test("one holder has a lease; it is free when it is given back, or when its time is over", async () => {
      const { leases } = store;
      const taken = await Promise.all(["a", "b", "c"].map(async (holder) => leases.take("work", holder, 60_000)));
      assert.equal(taken.filter(Boolean).length, 1);
      const holder = ["a", "b", "c"][taken.indexOf(true)] ?? "";
      assert.equal(await leases.take("work", holder, 60_000), true);
      await leases.release("work", "nobody");
      assert.equal(await leases.take("work", "d", 60_000), false);
      await leases.release("work", holder);
      assert.equal(await leases.take("work", "d", 50), true);
      await new Promise((resolve) => setTimeout(resolve, 120));
      assert.equal(await leases.take("work", "e", 50), true);
    });

    test("of many who set something once, one wins, and all hear who", async () => {
      const values = await Promise.all(["a", "b", "c"].map(async (value) => store.settings.setOnce("first", value)));
      assert.equal(new Set(values).size, 1);
      assert.equal(await store.settings.get("first"), values[0]);
    });

    let issued = 0;
    async function enrol(id: string, node: string, publicKey: string, at = now): Promise<EnrolRefusal | null> {
      const fingerprint = `${node}/${publicKey}/${++issued}`;
      const certificate: AgentCertificate = {
        fingerprint,
        node,
        cluster: "",
        publicKey,
        issuedAt: at,
        expiresAt: now + 7 * 24 * 60 * minute,
        revokedAt: null,
        seenAt: null,
        address: "",
      };
      return store.agents.enrol({ token: { id, hash: "hash" }, certificate }, at);
    }
  });
}

function token(id: string, node: string | null) {
  return { id, hash: "hash", cluster: "east", node, createdAt: now, expiresAt: now + 60 * minute };
}

function changed(report: ImageReport, packages: string[]): ImageReport {
  const [first] = report.inventory.packages;
  assert.ok(first);
  return {
    ...report,
    inventory: { ...report.inventory, packages: packages.map((version) => ({ ...first, version })) },
  };
}

function versions(report: ImageReport): string[] {
  return report.inventory.packages.map(({ version }) => version);
}

function refOf({ id, name, runtime, image, pod, labels }: ReturnType<typeof sampleContainer>) {
  return { id, name, runtime, image, pod, labels };
}

function component(node: string) {
  return {
    id: "sensor",
    node,
    state: "ok" as const,
    summary: "",
    reason: "",
    remedy: "",
    counters: {},
    updatedAt: now,
  };
}
