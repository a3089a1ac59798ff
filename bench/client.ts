/**
 * What a process holds that follows 10,000 pods: ours against `@kubernetes/client-node`, each in a process of its own that
 * is measured before it begins and afterwards, against the same API server (in this process). Both keep each pod as the
 * inventory does. docs/adr/0004 has what it said.
 *
 *     npm install --prefix /tmp/peer @kubernetes/client-node@2.0.1
 *     node scripts/node.mjs bench/client.ts --peer /tmp/peer
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { collections } from "@bulwark/cluster";
import { fakeKubernetes, type FakeKubernetes, type FakeObject } from "@bulwark/testkit";
import { pod, range } from "./cluster/crowd.ts";
import { cpuOf, memoryOf } from "./cluster/process.ts";

const most = 200;
const changes = 20_000;

interface Row {
  client: string;
  when: string;
  "more than before, MB": number;
  "whole process, MB": number;
  "processor, ms": number;
}

async function measure(client: string, pods: number, peer: string): Promise<Row[]> {
  await using fake = await fakeKubernetes();
  fake.put(collections.Pod, ...range(pods).map((index) => pod(index) as FakeObject));
  const follower = join(import.meta.dirname, "cluster/follower.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", follower, client, fake.url, peer], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  const pid = child.pid ?? 0;
  const [first] = (await once(child, "message")) as [number];
  if (first !== 0) throw new Error(`it holds ${first} before it begins`);
  const before = { memory: memoryOf(pid), cpu: cpuOf(pid) };
  const rows: Row[] = [];
  const add = (when: string): void => {
    const whole = memoryOf(pid);
    const cpu = cpuOf(pid) - before.cpu;
    rows.push({
      ...{ client, when, "more than before, MB": Math.round(whole - before.memory) },
      ...{ "whole process, MB": Math.round(whole), "processor, ms": cpu },
    });
  };
  child.send("begin");
  await holds(child, pods);
  await settle();
  add(`${pods} pods are held`);
  await change(fake, pods);
  await settle();
  add(`${changes} changes later`);
  child.kill();
  await once(child, "exit");
  return rows;
}

async function change(fake: FakeKubernetes, pods: number): Promise<void> {
  for (let n = 0; n < changes; n++) {
    const changed = pod(n % pods) as FakeObject;
    const labels = { ...(changed.metadata["labels"] as object), round: String(n) };
    fake.put(collections.Pod, { ...changed, metadata: { ...changed.metadata, labels } });
    // As fast as they can be read, not in one piece.
    if (n % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function holds(child: ReturnType<typeof spawn>, pods: number): Promise<void> {
  for (;;) {
    const [held] = (await once(child, "message")) as [number];
    if (held === pods) return;
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10_000));
}

const { values } = parseArgs({ options: { pods: { type: "string" }, peer: { type: "string" } } });
const pods = Number(values.pods ?? 10_000);
const rows: Row[] = [];
if (values.peer === undefined) console.error("client-node: left out: --peer FOLDER says where it is installed");
else rows.push(...(await measure("client-node", pods, values.peer)));
const own = await measure("ours", pods, "");
console.table([...rows, ...own]);
process.exitCode = own.every((row) => row["more than before, MB"] <= most) ? 0 : 1;
