import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sampleAlert, sampleContainer, sampleEvent, sampleReport, sampleWeakness } from "@bulwark/testkit";
import { processEventKinds, type AgentRecord, type Batch, type ProcessEvent, type Page } from "@bulwark/model";
import { StoreError } from "./error.ts";
import type { Store } from "./store.ts";

const now = 1_700_000_100_000;
const day = 86_400_000;

function batch(first: number, records: AgentRecord[], spool = "spool-1"): Batch {
  return { node: "node-1", spool, first, records };
}

async function all<T>(list: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor);
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
}

/** What every engine must do. `open` gives a store on an empty database. */
export function storeContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`store on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });

    test("a batch that is sent twice, or overlaps with one before, is stored once", async () => {
      const records = Array.from({ length: 10 }, (_, n): AgentRecord => ({ type: "event", event: sampleEvent(n) }));
      assert.equal((await store.ingest.write(batch(1, records), now)).stored, 10);
      assert.equal((await store.ingest.write(batch(1, records), now)).stored, 10);
      const more: AgentRecord[] = [...records.slice(5), { type: "event", event: sampleEvent(10) }];
      const result = await store.ingest.write(batch(6, more), now);
      assert.equal(result.stored, 11);
      const events = await all((cursor) => store.events.list({}, { cursor, limit: 3 }));
      assert.deepEqual(
        events.map(({ id }) => id),
        Array.from({ length: 11 }, (_, n) => `node-1/boot/${10 - n}`),
      );
      assert.deepEqual(events[10], sampleEvent(0));
    });

    test("a batch with a hole before it is stored, and two spools do not disturb each other", async () => {
      const event: AgentRecord = { type: "event", event: sampleEvent(100) };
      assert.equal((await store.ingest.write(batch(50, [event]), now)).stored, 50);
      assert.equal((await store.ingest.write(batch(1, [event], "spool-2"), now)).stored, 1);
    });

    test("events are found by kind, container, time and text", async () => {
      const event = sampleEvent(200, { kind: "connect", container: null, time: now });
      event.process = { ...event.process, executable: "/usr/bin/Curl_100%" };
      await store.ingest.write(batch(1, [{ type: "event", event }], "spool-3"), now);
      const find = async (filter: Parameters<Store["events"]["list"]>[0]): Promise<string[]> =>
        (await store.events.list(filter, { limit: 100 })).items.map(({ id }) => id);
      assert.deepEqual(await find({ kind: "connect" }), [event.id]);
      assert.deepEqual(await find({ since: now, until: now }), [event.id]);
      assert.deepEqual(await find({ q: "curl_100%" }), [event.id]);
      assert.deepEqual(await find({ q: "curlx100y" }), []);
      assert.deepEqual(await find({ container: sampleContainer(3).id }), ["node-1/boot/3"]);
      assert.deepEqual(await find({ q: "' or 1=1 --" }), []);
    });

    test("alerts are open when they come, keep their state when they come again, and are counted", async () => {
      const alerts = [0, 1, 2].map((n) => sampleAlert(n, n === 1 ? { severity: "low", rule: "drift" } : {}));
      const records = alerts.map((alert): AgentRecord => ({ type: "alert", alert }));
      const { alerts: stored } = await store.ingest.write(batch(1, records, "spool-a"), now);
      assert.deepEqual(
        stored.map(({ state }) => state),
        ["open", "open", "open"],
      );

      const first = alerts[0];
      assert.ok(first);
      const closed = await store.alerts.update(first.id, { state: "closed", comment: "a test" });
      assert.equal(closed?.state, "closed");
      await store.ingest.write(batch(1, records, "spool-b"), now + 1);
      assert.equal((await store.alerts.get(first.id))?.comment, "a test");

      const open = await store.alerts.countOpen();
      assert.equal(open.critical, 1);
      assert.equal(open.low, 1);
      assert.equal(open.high, 0);
      const list = await store.alerts.list({ severity: ["low", "medium"], q: "192.0.2.7" }, { limit: 10 });
      assert.deepEqual(
        list.items.map(({ rule }) => rule),
        ["drift"],
      );
      assert.equal(await store.alerts.update("none", { state: "open" }), undefined);
    });

    test("what happened again is counted with the alert, once, whatever is sent twice", async () => {
      const alert = sampleAlert(700);
      const records = [1, 2].map((count): AgentRecord => ({
        type: "repeats",
        repeats: [
          { alert: alert.id, count, last: now + count },
          { alert: "nobody's", count: 5, last: now },
        ],
      }));
      const told = batch(1, [{ type: "alert", alert }, ...records], "spool-again");
      assert.deepEqual(
        (await store.ingest.write(told, now)).alerts.map(({ repeats }) => repeats),
        [undefined],
      );
      await store.ingest.write(told, now);
      assert.deepEqual((await store.alerts.get(alert.id))?.repeats, { count: 3, last: now + 2 });
      const late: AgentRecord = { type: "repeats", repeats: [{ alert: alert.id, count: 1, last: now - 9 }] };
      await store.ingest.write(batch(4, [late], "spool-again"), now);
      const { items } = await store.alerts.list({ rule: alert.rule }, { limit: 500 });
      assert.deepEqual(items.find(({ id }) => id === alert.id)?.repeats, { count: 4, last: now + 2 });
      assert.equal(await store.alerts.get("nobody's"), undefined);
    });

    test("of rules that only agents have the latest text is kept, with when it changed, and no more than there is room for", async () => {
      const rule = (rule: string, text: string, since: number, node = "node-1"): AgentRecord => ({
        type: "rule",
        rule: { node, rule, file: "own.yaml", line: 3, text, since },
      });
      const told = { file: "own.yaml", line: 3 };
      await store.ingest.write(batch(1, [rule("own", "first", now)], "spool-rules"), now);
      await store.ingest.write(batch(2, [rule("own", "first", now + 5)], "spool-rules"), now);
      assert.deepEqual(await store.alerts.ruleText("node-1", "own"), { ...told, text: "first", changedAt: null });
      assert.equal(await store.alerts.ruleText("node-2", "own"), undefined);
      const changes = [
        rule("own", "second\0", now + 10),
        rule("own", "third", now + 20),
        rule("own", "third", now + 30),
      ];
      await store.ingest.write(batch(3, changes, "spool-rules"), now + 1);
      const third = { ...told, text: "third", changedAt: now + 20 };
      assert.deepEqual(await store.alerts.ruleText("node-1", "own"), third);

      const many = Array.from({ length: 2001 }, (_, n) => rule(`rule-${n}`, "text", now));
      await store.ingest.write(batch(6, many, "spool-rules"), now + 2);
      assert.equal(await store.alerts.ruleText("node-1", "own"), undefined);
      await store.ingest.write(batch(2007, [rule("own", "third", now)], "spool-rules"), now + 3);
      assert.equal((await store.alerts.ruleText("node-1", "own"))?.text, "third");
    });

    test("alerts are counted by hour, empty hours included", async () => {
      const at = Math.floor(now / 3_600_000) * 3_600_000;
      const alerts = [0, 1, 1].map((hours, n) => sampleAlert(500 + n, { time: at - hours * 3_600_000 + 5 }));
      await store.ingest.write(
        batch(
          1,
          alerts.map((alert) => ({ type: "alert", alert })),
          "spool-h",
        ),
        now,
      );
      const hours = await store.alerts.countByHour(4, at + 1000);
      assert.deepEqual(
        hours.map(({ time }) => time - at),
        [-3, -2, -1, 0].map((n) => n * 3_600_000),
      );
      assert.equal(hours[2]?.count, 2);
      assert.ok((hours[3]?.count ?? 0) >= 1);
      assert.equal(hours[0]?.count, 0);
    });

    test("containers come, are listed running first, and stop when their node no longer lists them", async () => {
      const records: AgentRecord[] = [1, 2, 3].map((n) => ({
        type: "container",
        container: sampleContainer(n, { privileged: n === 2, state: n === 3 ? "stopped" : "running" }),
      }));
      await store.ingest.write(batch(1, records, "spool-c"), now);
      const ids = async (): Promise<string[]> =>
        (await all((cursor) => store.containers.list({}, { cursor, limit: 1 }))).map(({ name }) => name);
      assert.deepEqual(await ids(), ["web-2", "web-1", "web-3"]);
      assert.deepEqual(await store.containers.count(), { running: 2, privileged: 1, nodes: 1 });

      const list: AgentRecord = { type: "containers", node: "node-1", running: [sampleContainer(1).id] };
      await store.ingest.write(batch(4, [list], "spool-c"), now + 5);
      assert.deepEqual(await ids(), ["web-1", "web-3", "web-2"]);
      const stopped = await store.containers.get(sampleContainer(2).id);
      assert.equal(stopped?.state, "stopped");
      assert.equal(stopped?.finishedAt, now + 5);
      assert.equal((await store.containers.list({ q: "tier=1" }, { limit: 9 })).items.length, 1);
    });

    test("an image's findings open, are fixed, reopen, and stay deferred", async () => {
      const report = sampleReport(1);
      await store.ingest.write(batch(1, [{ type: "image", report }], "spool-i"), now);
      assert.deepEqual(await store.images.report(report.key), report);
      const kinds = ["vulnerability"] as const;
      const three = [0, 1, 2].map((n) => sampleWeakness(n));
      assert.deepEqual(await store.findings.replace(report.key, three, kinds, now), { opened: 3, fixed: 0 });
      const listed = await all((cursor) => store.findings.list({ image: report.key }, { cursor, limit: 1 }));
      assert.deepEqual(
        listed.map((item) => item.kind === "vulnerability" && item.vulnerability.id),
        ["CVE-2024-1000", "CVE-2024-1001", "CVE-2024-1002"],
      );
      assert.equal(listed[0]?.runningContainers, 1);

      const second = listed[1];
      assert.ok(second);
      assert.equal((await store.findings.setState(second.fingerprint, "deferred"))?.state, "deferred");
      assert.deepEqual(await store.findings.replace(report.key, three.slice(1), kinds, now + 1), {
        opened: 0,
        fixed: 1,
      });
      assert.equal((await store.findings.get(second.fingerprint))?.state, "deferred");
      assert.deepEqual(await store.findings.replace(report.key, three, kinds, now + 2), { opened: 1, fixed: 0 });
      const first = await store.findings.get(listed[0]?.fingerprint ?? "");
      assert.deepEqual([first?.state, first?.firstSeen, first?.lastSeen], ["open", now, now + 2]);

      const { bySeverity, exploited } = await store.findings.countOpen();
      assert.deepEqual([bySeverity.critical, bySeverity.high, exploited], [1, 0, 1]);
      assert.equal((await store.findings.list({ exploited: true, running: true }, { limit: 5 })).items.length, 1);
      assert.equal((await store.findings.list({ fixable: false }, { limit: 5 })).items.length, 1);
      const summary = await store.images.summary(report.key);
      assert.deepEqual([summary?.packages, summary?.state, summary?.findings.critical], [1, "done", 1]);
      assert.deepEqual(
        (await store.images.worst(5)).map(({ key }) => key),
        [report.key],
      );
      assert.deepEqual(
        (await store.images.list({ q: "web" }, { limit: 5 })).items.map(({ key }) => key),
        [report.key],
      );
      assert.deepEqual(await Array.fromAsync(store.images.keys()), [report.key]);
    });

    test("a login link works once and not after its time", async () => {
      await store.accounts.addLoginLink({ hash: "a", user: "admin", expiresAt: now + 1000 });
      await store.accounts.addLoginLink({ hash: "b", user: "admin", expiresAt: now + 1000 });
      const both = await Promise.all([1, 2].map(async () => store.accounts.takeLoginLink("a", now)));
      assert.equal(both.filter((answer) => answer !== undefined).length, 1);
      assert.equal(await store.accounts.takeLoginLink("b", now + 1000), undefined);
    });

    test("sessions and tokens end with their time", async () => {
      await store.accounts.addSession({ hash: "s", user: "admin", csrf: "c", createdAt: now, expiresAt: now + 10 });
      assert.equal((await store.accounts.session("s", now + 9))?.user, "admin");
      assert.equal(await store.accounts.session("s", now + 10), undefined);
      const token = {
        id: "t",
        hash: "h",
        name: "ci",
        scope: "read",
        node: null,
        createdAt: now,
        expiresAt: now + 10,
        lastUsedAt: null,
      } as const;
      await store.accounts.addToken(token);
      assert.deepEqual(await store.accounts.tokenByHash("h", now), token);
      await store.accounts.touchToken("t", now + 5);
      assert.equal((await store.accounts.tokens())[0]?.lastUsedAt, now + 5);
      assert.equal(await store.accounts.deleteToken("t"), true);
      assert.equal(await store.accounts.deleteToken("t"), false);
    });

    test("the audit log is one chain, whoever writes at the same time", async () => {
      const entry = {
        time: now,
        actor: "admin",
        action: "login",
        target: "",
        detail: { how: "link" },
        address: "127.0.0.1",
      };
      await Promise.all(Array.from({ length: 20 }, async () => store.audit.append(entry)));
      assert.deepEqual(await store.audit.verify(), { entries: 20, brokenAt: null });
      const entries = await all((cursor) => store.audit.list({ cursor, limit: 7 }));
      assert.deepEqual(
        entries.map(({ id }) => id),
        Array.from({ length: 20 }, (_, n) => 20 - n),
      );
      assert.deepEqual(entries[0]?.detail, { how: "link" });
    });

    test("a cursor that no page gave, or that was changed, is refused", async () => {
      const { next } = await store.events.list({}, { limit: 1 });
      assert.ok(next);
      const changed = `${next.slice(0, -3)}${next.at(-3) === "A" ? "B" : "A"}${next.slice(-2)}`;
      const ofAlerts = (await store.alerts.list({}, { limit: 1 })).next;
      assert.ok(ofAlerts);
      for (const cursor of ["x", Buffer.from("[]").toString("base64url"), next.slice(0, -4), changed, ofAlerts]) {
        await assert.rejects(
          store.events.list({}, { cursor, limit: 1 }),
          (error) => error instanceof StoreError && error.code === "bad-cursor",
          cursor,
        );
      }
    });

    test("pages neither repeat nor miss an event when others come in between", async () => {
      const node = "node-pages";
      const send = async (first: number, time: number): Promise<void> => {
        const records = Array.from({ length: 100 }, (_, n): AgentRecord => {
          const container = { ...sampleEvent(0).container, id: "paged" } as ProcessEvent["container"];
          const kind = processEventKinds[n % processEventKinds.length] ?? "exec";
          return {
            type: "event",
            event: sampleEvent(first + n, { id: `p${first + n}`, time: time + n, kind, container }),
          };
        });
        await store.ingest.write({ node, spool: "pages", first, records }, now);
      };
      await send(1, now);
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let round = 1; ; round++) {
        const page = await store.events.list({ container: "paged", q: "job" }, { cursor, limit: 30 });
        seen.push(...page.items.map(({ id }) => id));
        if (page.next === null) break;
        cursor = page.next;
        await send(1 + round * 100, now + round * 1000);
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 100 }, (_, n) => `p${100 - n}`),
      );
    });

    test("a container that starts after a list was made is not stopped by it", async () => {
      const node = "node-order";
      const container = sampleContainer(900, { node });
      const records: AgentRecord[] = [
        { type: "containers", node, running: [] },
        { type: "container", container },
      ];
      await store.ingest.write({ node, spool: "o", first: 1, records }, now);
      assert.equal((await store.containers.get(container.id))?.state, "running");
      const back: AgentRecord[] = [
        { type: "container", container },
        { type: "containers", node, running: [] },
      ];
      await store.ingest.write({ node, spool: "o", first: 3, records: back }, now);
      assert.equal((await store.containers.get(container.id))?.state, "stopped");
    });

    test("a character that a database does not take stops nothing", async () => {
      const nul = "a\0b";
      const event = sampleEvent(1, { id: "nul" });
      event.process = { ...event.process, executable: nul };
      const container = sampleContainer(901, { node: "node-nul", name: nul, labels: { [nul]: nul } });
      const alert = sampleAlert(901, { title: nul, rule: nul });
      const records: AgentRecord[] = [
        { type: "event", event },
        { type: "container", container },
        { type: "alert", alert },
      ];
      await store.ingest.write({ node: "node-nul", spool: "n", first: 1, records }, now);
      assert.deepEqual((await store.events.list({ q: nul }, { limit: 5 })).items, [event]);
      assert.deepEqual(await store.containers.get(container.id), container);
      assert.equal((await store.alerts.list({ q: nul }, { limit: 5 })).items[0]?.title, nul);
      await store.ingest.write(
        { node: "node-nul", spool: "n", first: 4, records: [{ type: "containers", node: "node-nul", running: [] }] },
        now,
      );
    });

    test("an alert that comes again is not told of as new", async () => {
      const records: AgentRecord[] = [{ type: "alert", alert: sampleAlert(950) }];
      const write = async (spool: string) => store.ingest.write({ node: "node-again", spool, first: 1, records }, now);
      assert.equal((await write("one")).alerts.length, 1);
      assert.equal((await write("two")).alerts.length, 0);
    });

    test("one weakness in two architectures of a package is two findings", async () => {
      const purls = ["pkg:deb/debian/libc6@1?arch=amd64", "pkg:deb/debian/libc6@1?arch=i386"];
      const found = purls.map((purl) => sampleWeakness(0, { purl }));
      const at = Promise.all(
        [1, 2].map(async () => store.findings.replace("two@sha256:2", found, ["vulnerability"], now)),
      );
      assert.equal(
        (await at).reduce((sum, { opened }) => sum + opened, 0),
        2,
      );
      assert.equal((await store.findings.list({ image: "two@sha256:2" }, { limit: 9 })).items.length, 2);
      assert.deepEqual(await store.findings.replace("two@sha256:2", [], ["vulnerability"], now), {
        opened: 0,
        fixed: 2,
      });
    });

    test("components are kept by node and id, settings by name", async () => {
      const component = {
        id: "sensor",
        node: "node-1",
        state: "ok",
        summary: "on",
        reason: "",
        remedy: "",
        counters: { events: 3 },
        updatedAt: now,
      } as const;
      await store.health.put([component, { ...component, id: "spool" }]);
      await store.health.put([{ ...component, summary: "still on" }]);
      assert.deepEqual(
        (await store.health.list()).map(({ summary }) => summary),
        ["still on", "on"],
      );
      await store.settings.set("a", "1");
      await store.settings.set("a", "2");
      assert.equal(await store.settings.get("a"), "2");
    });

    test("a session is made longer only while it is there, and all but one of a user's end together", async () => {
      const { accounts } = store;
      const add = async (hash: string, user: string): Promise<void> =>
        accounts.addSession({ hash, user, csrf: "c", createdAt: now, expiresAt: now + 1000 });
      for (const hash of ["kept", "other"]) await add(hash, "ann");
      await add("stranger", "bob");
      await accounts.extendSession("kept", now + 5000);
      assert.equal((await accounts.session("kept", now + 2000))?.expiresAt, now + 5000);
      await accounts.extendSession("gone", now + 5000);
      assert.equal(await accounts.session("gone", now), undefined);
      await accounts.deleteSessions("ann", "kept");
      const left = await Promise.all(["kept", "other", "stranger"].map(async (hash) => accounts.session(hash, now)));
      assert.deepEqual(
        left.map((session) => session?.user),
        ["ann", undefined, "bob"],
      );
    });

    test("retention deletes what is too old, and the oldest events where there is too much", async () => {
      const old = Array.from({ length: 30 }, (_, n): AgentRecord => ({
        type: "event",
        event: sampleEvent(1000 + n, { time: now - 40 * day, kind: "exit" }),
      }));
      await store.ingest.write(batch(1, old, "spool-r"), now);
      const report = await store.retain({ eventDays: 30, alertDays: 30, assetDays: 30 }, now);
      assert.equal(report.events, 30);
      assert.equal(report.alerts, 0);
      assert.ok((await store.events.list({}, { limit: 10 })).items.length > 0);
      const { events } = await store.retain({ bytes: 1 }, now);
      assert.ok(events > 0);
      const { bytes } = await store.size();
      assert.ok(bytes > 0);
      assert.equal(await store.ping(), true);
    });
  });
}
