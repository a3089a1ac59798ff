/** What containers say to each other, from the kernel to whoever asks the server; and one that is cut off, and let go. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import type { Action, NetworkEdge } from "@bulwark/model";
import { eventually, missing, run, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { startProduct, type Product } from "../product.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");
const patience = 60_000;
const own = process.pid;
const [clientName, serverName, laterName] = ["client", "server", "later"].map((role) => `flows-${role}-${own}`) as [
  string,
  string,
  string,
];

describe("who talks to whom, with real containers", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let root: string;
  let client: RuncContainer;
  let server: RuncContainer;
  let product: Product;
  let api: Client;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), "bulwark-flows-"));
    stack.defer(() => rmSync(root, { recursive: true, force: true }));
    server = stack.use(runWithRunc({ root, id: serverName, args: listener }));
    client = stack.use(runWithRunc({ root, id: clientName }));
    cable(client, server);
    const runtimes = `containerd: [], docker: [], cri-o: [], podman: [], runc: ["${root}"], crun: []`;
    const network = "network: { flows: true, flowsEvery: 1 }";
    product = stack.use(
      await startProduct({ config: `agent:\n  node: node-f\n  ${network}\n  runtimes: { ${runtimes} }\n` }),
    );
    api = await product.api();
    await eventually("the node tells of flows", async () => (await edges()).observers[0], patience);
    await eventually(
      "both are known",
      async () => (await api.listContainers({ query: { state: "running" } })).items.length === 2 || undefined,
      patience,
    );
  });
  after(async () => stack.disposeAsync());

  const edges = async () => api.listNetworkEdges({ query: {} });
  const edge = async (from: string, to: string): Promise<NetworkEdge | undefined> =>
    (await edges()).items.find((item) => item.client.key === from && item.server.key === to);
  /** Whether the server answers the client. */
  function answers(ip: string, port: number): boolean {
    try {
      return client.exec("sh", "-c", `echo hello | nc -w 2 ${ip} ${port}`).includes("fine");
    } catch {
      return false;
    }
  }

  test("an edge with both workloads, port, result, bytes and program; attempts are told apart", async () => {
    assert.ok(answers("198.18.7.2", 7000));
    assert.equal(answers("198.18.7.2", 7001), false);
    const told = await eventually(
      "the edge is told of",
      async () => {
        const found = await edge(`/${clientName}`, `/${serverName}`);
        return found && found.results.refused > 0 && found.results.established > 0 ? found : undefined;
      },
      patience,
    );
    assert.deepEqual([told.results.established, told.results.refused], [1, 1]);
    assert.deepEqual(told.ports.map(({ port, protocol }) => `${protocol} ${port}`).sort(), ["TCP 7000", "TCP 7001"]);
    assert.ok(told.bytesOut >= 6 && told.bytesIn >= 5, `${told.bytesOut} ${told.bytesIn}`);
    assert.match(told.processes.join(" "), /nc|busybox/);
    assert.equal(told.verdict, null, "of no cluster");
    const { items } = await api.listNetworkFlows({ query: { client: `/${clientName}`, port: 7000 } });
    assert.deepEqual([items.length, items[0]?.node, items[0]?.server.ip], [1, "node-f", "198.18.7.2"]);
    const { observers, lost } = await edges();
    assert.deepEqual([observers[0]?.node, observers[0]?.live, lost], ["node-f", true, 0]);
  });

  test("one that is cut off says nothing more, and talks again when that is undone", async () => {
    const { items } = await api.listNetworkContainers({ query: { cluster: "default", key: `/${clientName}` } });
    const [target] = items;
    assert.deepEqual([items.length, target?.name], [1, clientName]);
    const scope = { namespaces: [], images: [], containers: [clientName], labels: "" };
    const policy = { name: "flows", scope, mode: "enforce", system: false, automatic: null } as const;
    await api.setResponsePolicy({ params: { id: "flows" }, body: { ...policy, actions: ["quarantine"] } });
    const action: Action = { kind: "quarantine", limitMs: 600_000, except: [], onFailure: "open" };
    const order = { container: clientName, alert: null, action, reason: "a drill" };
    const state = async (id: string, wanted: string[]) =>
      eventually(
        `it is ${wanted.join(" or ")}`,
        async () => {
          const record = await api.getAction({ params: { id } });
          return wanted.includes(record.state) ? record : undefined;
        },
        patience,
      );
    const tried = await api.orderAction({ body: { ...order, dryRun: true } });
    await state(tried.id, ["dry-run"]);
    assert.ok(answers("198.18.7.2", 7000), "nothing was done");
    const done = await eventually(
      "it is allowed",
      async () => {
        const { id } = await api.orderAction({ body: { ...order, dryRun: false } });
        const record = await state(id, ["done", "refused", "failed"]);
        return record.state === "done" ? record : undefined;
      },
      patience,
    );
    assert.equal(answers("198.18.7.2", 7000), false);
    await api.undoAction({ params: { id: done.id } });
    await state(done.id, ["undone"]);
    await eventually("it talks again", () => answers("198.18.7.2", 7000) || undefined, patience);
  });

  test("who has the address later is another, and the past stays whose it was", async () => {
    const before = await edge(`/${clientName}`, `/${serverName}`);
    server.runc("delete", "-f", serverName);
    const later = stack.use(runWithRunc({ root, id: laterName, args: listener }));
    cable(client, later);
    await eventually("it listens", () => answers("198.18.7.2", 7000) || undefined, patience);
    // What the kernel counts within a second is one, and may have begun with the one before.
    const asked = async (): Promise<NetworkEdge | undefined> => {
      answers("198.18.7.2", 7000);
      return edge(`/${clientName}`, `/${laterName}`);
    };
    const told = await eventually("its edge is told of", asked, patience);
    assert.ok(told.first > (before?.first ?? Infinity));
    const { items } = await api.listNetworkFlows({ query: { server: `/${laterName}` } });
    assert.ok(items.every(({ first }) => first > (before?.last ?? Infinity) - 1000));
    assert.ok(await edge(`/${clientName}`, `/${serverName}`), "what was, was");
  });
});

/** Answers who has said something: both directions have been used then. */
const listener = ["sh", "-c", "while true; do nc -l -p 7000 -e sh -c 'read asked; echo fine'; done"];

/** A cable between two containers, with an address at each end. What was there before is gone. */
function cable(one: RuncContainer, other: RuncContainer): void {
  for (const { pid } of [one, other]) {
    try {
      run("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", "link", "del", "eth0"]);
    } catch {
      // There was none.
    }
  }
  const ends = ["type", "veth", "peer", "name", "eth0", "netns", String(other.pid)];
  run("ip", ["link", "add", "eth0", "netns", String(one.pid), ...ends]);
  for (const [{ pid }, last] of [
    [one, 1],
    [other, 2],
  ] as const) {
    const inside = (...words: string[]): string => run("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", ...words]);
    inside("addr", "add", `198.18.7.${last}/24`, "dev", "eth0");
    inside("link", "set", "eth0", "up");
  }
}
