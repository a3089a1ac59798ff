import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  parseSelector,
  type AgentRecord,
  type KubeChange,
  type KubeObject,
  type KubeRow,
  type ToldRepeats,
} from "@bulwark/model";
import {
  sampleAlert,
  sampleAudit,
  sampleContainer,
  sampleKubeObject,
  samplePod,
  sampleReport,
  sampleWeakness,
} from "@bulwark/testkit";
import type { KubeFilter, Store } from "./store.ts";

const now = 1_700_000_100_000;
const day = 86_400_000;
const put = (...objects: KubeObject[]): KubeChange[] => objects.map((object) => ({ type: "put", object }));

/** What every engine must do with the objects of clusters, and with audit records of their API servers. */
export function kubernetesContract(name: string, options: { skip: string | false; open: () => Promise<Store> }): void {
  describe(`clusters on ${name}`, { skip: options.skip }, () => {
    let store: Store;
    before(async () => {
      store = await options.open();
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
    });

    async function list(filter: KubeFilter, limit = 500): Promise<KubeRow[]> {
      const rows: KubeRow[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.kubernetes.list(filter, { cursor, limit });
        rows.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return rows;
    }
    const names = async (filter: KubeFilter): Promise<string[]> => (await list(filter)).map((row) => row.name);

    test("a pod that comes before its owners has its whole chain once they are there", async () => {
      const deployment = sampleKubeObject("Deployment", "web");
      const owner = { kind: "Deployment", apiVersion: "apps/v1", name: "web", uid: deployment.uid };
      const replicaSet = sampleKubeObject("ReplicaSet", "web-5d4f", { uid: "uid-rs-web", owner });
      const written = await store.kubernetes.write("test", put(samplePod(1), samplePod(2)), now);
      assert.deepEqual(written, [{ kind: "Pod", changed: 2 }]);
      const alone = await store.kubernetes.get("test", "uid-pod-1");
      assert.deepEqual(alone?.owners, [samplePod(1).owner], "what the pod itself says, and no guess");
      await store.kubernetes.write("test", put(replicaSet, deployment), now);
      const pod = await store.kubernetes.get("test", "uid-pod-1");
      assert.deepEqual(
        pod?.owners.map(({ kind, name: owning }) => `${kind}/${owning}`),
        ["ReplicaSet/web-5d4f", "Deployment/web"],
      );
      assert.deepEqual(await names({ workloads: true }), ["web"]);
      assert.deepEqual(await names({ cluster: "test", owner: deployment.uid, kind: "Pod" }), [
        "web-5d4f-1",
        "web-5d4f-2",
      ]);
      const again = await store.kubernetes.write("test", put(samplePod(1), deployment), now + 5);
      assert.deepEqual(again, [], "what is as it was costs no write");
    });

    test("an owner of a kind that is not followed is a workload as long as it controls something", async () => {
      const owner = { kind: "Rollout", apiVersion: "argoproj.io/v1alpha1", name: "api", uid: "uid-rollout" };
      const pod = samplePod(20, { namespace: "argo", owner });
      await store.kubernetes.write("test", put(pod), now);
      const [rollout] = await list({ namespace: "argo", workloads: true });
      assert.equal(rollout?.kind, "Rollout");
      assert.equal(rollout.byReference, true);
      assert.equal(rollout.known.pods, 1);
      await store.kubernetes.write("test", [{ type: "delete", uid: pod.uid }], now);
      assert.deepEqual(await names({ namespace: "argo" }), []);
      const mirror = samplePod(21, {
        namespace: "argo",
        owner: { kind: "Node", apiVersion: "v1", name: "node-0", uid: "uid-node-0" },
      });
      await store.kubernetes.write("test", put(mirror), now);
      assert.deepEqual(
        await names({ namespace: "argo", workloads: true }),
        [mirror.name],
        "a static pod is one itself",
      );
    });

    test("a name that is used again at once is another object, and the first one has gone", async () => {
      const first = samplePod(30, { namespace: "reuse", name: "job", uid: "uid-a", owner: null, labels: { run: "1" } });
      const second = { ...first, uid: "uid-b", labels: { run: "2" } };
      const changes: KubeChange[] = [...put(first), { type: "delete", uid: "uid-a" }, ...put(second)];
      await store.kubernetes.write("test", changes, now + 1000);
      const [alive, ...others] = await list({ namespace: "reuse" });
      assert.equal(alive?.uid, "uid-b");
      assert.deepEqual(others, []);
      const [gone] = await list({ namespace: "reuse", deleted: true });
      assert.equal(gone?.uid, "uid-a");
      assert.equal(gone.deletedAt, now + 1000);
      assert.deepEqual(gone.labels, { run: "1" });
    });

    test("what a full list does not have has gone, and comes back with the time when it was first seen", async () => {
      const pods = [40, 41, 42].map((n) => samplePod(n, { cluster: "listed", namespace: "list" }));
      await store.kubernetes.write("listed", put(...pods), now);
      const service = sampleKubeObject("Service", "s", { cluster: "listed" });
      const uids = ["uid-pod-41"];
      await store.kubernetes.write("listed", [...put(service), { type: "list", kind: "Pod", uids }], now + 10);
      assert.deepEqual(await names({ cluster: "listed" }), ["web-5d4f-41", "s"]);
      assert.equal((await list({ cluster: "listed", deleted: true })).length, 2);
      assert.deepEqual(await store.kubernetes.count("listed"), { Pod: 1, Service: 1 });
      await store.kubernetes.write("listed", put(...pods), now + 20);
      const back = await store.kubernetes.get("listed", "uid-pod-40");
      assert.equal(back?.firstSeen, now);
      assert.equal(back.deletedAt, null);
      assert.equal(
        (await store.kubernetes.get("test", "uid-pod-1"))?.deletedAt,
        null,
        "another cluster's is untouched",
      );
    });

    test("label selectors choose what Kubernetes' own would", async () => {
      const labels: [string, Record<string, string>][] = [
        ["a", { app: "web", tier: "front" }],
        ["b", { app: "web", tier: "back", canary: "" }],
        ["c", { app: "db" }],
        ["d", {}],
      ];
      const objects = labels.map(([own, set]) => sampleKubeObject("Service", own, { namespace: "sel", labels: set }));
      await store.kubernetes.write("test", put(...objects), now);
      const chosen = async (text: string): Promise<string> =>
        (await names({ namespace: "sel", selector: parseSelector(text) })).join("");
      assert.equal(await chosen("app=web"), "ab");
      assert.equal(await chosen("app=web,tier!=back"), "a");
      assert.equal(await chosen("app in (web, db),!canary"), "ac");
      assert.equal(await chosen("tier notin (front)"), "bcd");
      assert.equal(await chosen("canary"), "b");
      assert.equal(await chosen("canary="), "b");
      assert.equal(await chosen("app='; drop table--".replace(/[^a-z=]/g, "")), "");
      const [first] = objects;
      assert.ok(first);
      await store.kubernetes.write("test", put({ ...first, labels: { app: "db" } }), now);
      assert.equal(await chosen("app=web"), "b", "a label that has changed is the one that counts");
      assert.equal(await chosen("app=db"), "ac");
    });

    test("pages neither repeat nor miss an object", async () => {
      const pods = Array.from({ length: 25 }, (_, n) =>
        samplePod(100 + n, { cluster: "paged", namespace: `n${n % 3}` }),
      );
      await store.kubernetes.write("paged", put(...pods), now);
      const rows = await list({ cluster: "paged", kind: "Pod" }, 4);
      assert.equal(new Set(rows.map(({ uid }) => uid)).size, 25);
      assert.equal(rows.length, 25);
    });

    test("an object has what is known of its pods: alerts, containers, and findings of their images", async () => {
      const pod = { name: "web-5d4f-1", namespace: "shop", uid: "uid-pod-1", container: "web" };
      const container = sampleContainer(1, { pod });
      const { id, name: called, runtime, image, labels } = container;
      const alert = sampleAlert(1, { container: { id, name: called, runtime, image, pod, labels }, severity: "high" });
      const report = sampleReport(1);
      const withImage = { ...container, image: { name: report.name, digest: report.digest } };
      const records: AgentRecord[] = [
        { type: "container", container: withImage },
        { type: "alert", alert },
        { type: "image", report },
      ];
      await store.ingest.write({ node: "node-1", spool: "k", first: 1, records }, now);
      await store.findings.replace(report.key, [sampleWeakness(0)], ["vulnerability"], now);
      const node = sampleKubeObject("Node", "node-1", { namespace: "", apiVersion: "v1" });
      const namespace = sampleKubeObject("Namespace", "shop", { namespace: "", apiVersion: "v1" });
      await store.kubernetes.write("test", put(node, namespace), now);
      for (const uid of ["uid-pod-1", "uid-rs-web", "uid-deployment-web", node.uid, namespace.uid]) {
        const known = (await store.kubernetes.get("test", uid))?.known;
        assert.equal(known?.alerts.high, 1, uid);
        assert.equal(known.runningContainers, 1, uid);
        assert.equal(
          Object.values(known.findings).reduce((sum, count) => sum + count, 0),
          1,
          uid,
        );
      }
      assert.equal((await store.kubernetes.get("test", "uid-pod-2"))?.known.alerts.high, 0);
      const object = { cluster: "test", uid: "uid-deployment-web" };
      assert.deepEqual(
        (await store.alerts.list({ object }, { limit: 9 })).items.map((item) => item.id),
        [alert.id],
      );
      assert.deepEqual(await names({ image: report.key }), ["web-5d4f-1"]);
      assert.equal((await store.containers.list({ pod: "uid-pod-1" }, { limit: 9 })).items[0]?.id, container.id);
      await store.kubernetes.write("test", [{ type: "delete", uid: "uid-pod-1" }], now);
      const after = await store.kubernetes.get("test", "uid-deployment-web");
      assert.equal(after?.known.alerts.high, 1, "the alert of a pod that has gone is still its workload's");
      assert.equal(after.known.pods, 1);
    });

    test("an audit record that comes again, by whichever way, is one event and is found as others are", async () => {
      const records = [0, 1, 2].map((n) => sampleAudit(n));
      assert.deepEqual(await store.events.append(records, now), { stored: 3, known: 0 });
      assert.deepEqual(await store.events.append([...records, sampleAudit(3)], now), { stored: 1, known: 3 });
      const byFile = [3, 4].map((n): AgentRecord => ({ type: "event", event: sampleAudit(n) }));
      await store.ingest.write({ node: "node-1", spool: "audit", first: 1, records: byFile }, now);
      const found = await store.events.list({ kind: "audit" }, { limit: 100 });
      assert.deepEqual(
        found.items.map(({ id }) => id),
        [4, 3, 2, 1, 0].map((n) => sampleAudit(n).id),
      );
      assert.deepEqual(found.items.at(-1), sampleAudit(0));
      for (const q of ["jane@example", "shop/pods/exec/web-2", "192.0.2.1"]) {
        assert.ok((await store.events.list({ q }, { limit: 100 })).items.length > 0, q);
      }
      assert.deepEqual((await store.events.list({ q: "web-2" }, { limit: 9 })).items, [sampleAudit(2)]);
    });

    test("a request that happened again is counted with its alert once, by whichever ways and in how many stages", async () => {
      const [first, other] = [800, 801].map((n) => sampleAlert(n));
      assert.ok(first && other);
      const again = (id: string, last: number, alert = first.id): ToldRepeats => ({ alert, count: 1, last, id });
      const appended = await store.alerts.append([first], [again("a", now + 2), again("a", now + 3)], now);
      assert.deepEqual(
        appended.alerts.map(({ id }) => id),
        [first.id],
      );
      assert.deepEqual(appended.repeats, [{ alert: first.id, count: 1, last: now + 2 }], "that of the same breath too");
      const sentAgain = await store.alerts.append([first], [again("a", now + 2), again("b", now + 1)], now);
      assert.deepEqual(sentAgain, { alerts: [], repeats: [{ alert: first.id, count: 2, last: now + 2 }] });

      const repeats = [
        again("b", now + 1),
        again("c", now + 9),
        again("d", now, other.id),
        again("e", now, "nobody's"),
      ];
      const records: AgentRecord[] = [
        { type: "alert", alert: other },
        { type: "repeats", repeats },
      ];
      const byFile = await store.ingest.write({ node: "node-1", spool: "again", first: 1, records }, now);
      assert.deepEqual(byFile.repeats, [
        { alert: first.id, count: 3, last: now + 9 },
        { alert: other.id, count: 1, last: now },
      ]);
      const late = await store.alerts.append([], repeats, now);
      assert.deepEqual(late, { alerts: [], repeats: [] });
      assert.deepEqual((await store.alerts.get(first.id))?.repeats, { count: 3, last: now + 9 });
    });

    test("whole objects are kept as their collector told them, page by page, as long as they live", async () => {
      const pods = [50, 51, 52].map((n) => samplePod(n, { cluster: "told" }));
      const whole = (object: KubeObject, manifest?: string | null): KubeChange => ({
        ...{ type: "put", object },
        ...(manifest !== undefined && { manifest }),
      });
      async function manifests(): Promise<(string | null)[]> {
        const found: (string | null)[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.kubernetes.manifests("told", "Pod", { cursor, limit: 2 });
          found.push(...page.items.map(({ manifest }) => manifest));
          cursor = page.next ?? undefined;
        } while (cursor !== undefined);
        return found;
      }
      const [a, b, c] = pods as [KubeObject, KubeObject, KubeObject];
      // What is told later in the same breath without its whole leaves it as it is.
      await store.kubernetes.write("told", [whole(a, "a1"), whole(b, "b1\0"), whole(a), whole(c)], now);
      assert.deepEqual(await manifests(), ["a1", "b1\u{FFFD}", null]);
      await store.kubernetes.write("told", [whole(a, "a2"), whole(b, null), whole(c, "c1")], now);
      assert.deepEqual(await manifests(), ["a2", null, "c1"], "one that is too large now is not known as it was");
      const { uid } = c;
      await store.kubernetes.write(
        "told",
        [
          { type: "delete", uid },
          { type: "list", kind: "Pod", uids: [a.uid] },
        ],
        now,
      );
      assert.deepEqual(await manifests(), ["a2"]);
      await store.kubernetes.write("told", [whole(c)], now);
      assert.deepEqual(await manifests(), ["a2", null], "of one that comes back nothing is left");
      await store.kubernetes.forgetCluster("told");
      await store.kubernetes.write("told", [whole(a)], now);
      assert.deepEqual(await manifests(), [null]);
    });

    test("clusters are kept, told of, and forgotten with their objects; what has long gone goes", async () => {
      const cluster = { name: "paged", uid: "u", version: "v1.36.3", state: "ok" as const, reason: "", remedy: "" };
      const whole = { ...cluster, syncedAt: now, counters: { relists: 1 }, updatedAt: now };
      await store.kubernetes.putCluster(whole);
      await store.kubernetes.putCluster({ ...whole, syncedAt: now + 500 });
      assert.deepEqual(await store.kubernetes.clusters(), [{ ...whole, syncedAt: now + 500 }]);
      const [row] = await list({ cluster: "paged" });
      assert.equal(row?.lastSeen, now + 500, "what lives is seen whenever its cluster is");
      await store.kubernetes.forgetCluster("paged");
      assert.deepEqual(await list({ cluster: "paged" }), []);
      assert.deepEqual(await store.kubernetes.clusters(), []);

      await store.retain({ assetDays: 30 }, now + 31 * day);
      assert.deepEqual(await list({ deleted: true }), []);
      assert.ok((await list({ cluster: "test" })).length > 0, "what lives stays");
      await store.events.append([sampleAudit(0)], now + 31 * day);
    });
  });
}
