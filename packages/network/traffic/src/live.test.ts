import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createDirectory, endText, type Flow, type Workload } from "@bulwark/flow";
import { buildSensor, startSensor, type Sensor } from "@bulwark/sensor";
import { eventually, missing, run, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { createTraffic } from "./index.ts";
import { quicHello, quicPacket } from "./openings/quic.sample.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

describe("what real containers send to each other", { skip }, () => {
  let folder: string;
  let client: RuncContainer;
  let server: RuncContainer;
  let sensor: Sensor;
  const flows: Flow[] = [];
  const ended: string[] = [];
  let settling: NodeJS.Timeout | undefined;
  let lost = 0n;

  before(async () => {
    await buildSensor();
    folder = await mkdtemp(join(tmpdir(), "bulwark-traffic-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    run("cp", [join(import.meta.dirname, "peer.child.ts"), folder]);
    writeFileSync(join(folder, "quic"), quicPacket(1, Buffer.from("060040f1", "hex"), quicHello));
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    run("openssl", [...request, "-keyout", key, "-out", certificate, "-subj", "/CN=bank.example", "-days", "2"]);
    server = contain(["node", "/live/peer.child.ts", "server"]);
    client = contain(["sleep", "3600"]);
    connectBoth();
    await eventually("the server listens", () => existsSync(join(server.rootfs, "tmp/ready")) || undefined);
    const keep = `exec -d ${client.id} node /live/peer.child.ts keep 198.18.0.2 </dev/null >/dev/null 2>&1`;
    run("sh", ["-c", `runc --root ${client.root} ${keep}`]);
    await eventually("a connection is there", () => existsSync(join(client.rootfs, "tmp/kept")) || undefined);
    await start();
  });
  after(async () => {
    clearInterval(settling);
    await sensor?.close();
    await client?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
    if (folder) await rm(folder, { recursive: true });
  });

  function contain(args: string[]): RuncContainer {
    const bind = (source: string, target = source) => ({ source, target, readOnly: true });
    const libraries = ["/lib", "/lib64", "/usr/lib"].filter((path) => existsSync(path));
    return runWithRunc({
      args,
      mounts: [...libraries.map((path) => bind(path)), bind(dirname(process.execPath), "/node"), bind(folder, "/live")],
      env: ["PATH=/node:/bin"],
    });
  }

  /** A cable between the two, addresses of both families on it. */
  function connectBoth(): void {
    run("ip", [
      "link",
      "add",
      "eth0",
      "netns",
      `${client.pid}`,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      `${server.pid}`,
    ]);
    for (const [{ pid }, last] of [
      [client, 1],
      [server, 2],
    ] as const) {
      const inside = (...words: string[]): string => run("nsenter", [`--net=/proc/${pid}/ns/net`, "ip", ...words]);
      inside("addr", "add", `198.18.0.${last}/24`, "dev", "eth0");
      inside("addr", "add", `fd00:18::${last}/64`, "dev", "eth0", "nodad");
      inside("link", "set", "eth0", "up");
    }
  }

  async function start(): Promise<void> {
    const names = new Map([
      [cgroupOf(client.pid), workload("client")],
      [cgroupOf(server.pid), workload("server")],
    ]);
    const traffic = createTraffic({
      ownerOf(pid) {
        const workload = names.get(cgroupOf(pid));
        return workload && { workload, process: "node" };
      },
      epochMs: (time) => sensor.epochMs(time),
      directory: createDirectory(),
      hostNetwork: statSync("/proc/self/ns/net").ino,
      emit: (flow) => flows.push(flow),
    });
    sensor = await startSensor({
      onRecords(records) {
        for (const record of records) if (record.type === "loss") lost = record.flows;
      },
      onExit: (error) => ended.push(error.message),
      flows: { everyMs: 250, onTraffic: (records) => traffic.take(records) },
    });
    for (const [name, { pid }] of Object.entries({ client, server }))
      traffic.know(workload(name), pid, Date.now() - 1000);
    settling = setInterval(() => traffic.settle(), 50);
  }

  const between = (wanted: (flow: Flow) => boolean): Flow[] =>
    flows.filter((flow) => endText(flow.client) === "test/client" && wanted(flow));
  const sum = (list: Flow[], what: "bytesIn" | "bytesOut" | "connections"): number =>
    list.reduce((total, flow) => total + flow[what], 0);

  test("a connection from before is told of, by who listens", async () => {
    const kept = await eventually("its bytes are counted", () =>
      flows.find(({ port, process, bytesOut }) => port === 7000 && process !== null && bytesOut > 0),
    );
    assert.equal(endText(kept.client), "test/client");
    assert.equal(endText(kept.server), "test/server");
    assert.equal(kept.connections, 0, "it was begun earlier");
  });

  test("every connection with both ends, result, bytes, TLS, name and process", async () => {
    client.exec("node", "/live/peer.child.ts", "client", "198.18.0.2", "fd00:18::2");
    await eventually("the last of them is told", () => between(({ port }) => port === 7003)[0]);

    for (const ip of ["198.18.0.2", "fd00:18::2"]) {
      const data = between(({ port, server: end, connections }) => port === 7000 && end.ip === ip && connections > 0);
      assert.equal(endText(data[0]?.server ?? { workload: null, ip: null, name: null }), "test/server");
      assert.deepEqual([sum(data, "connections"), data[0]?.result, data[0]?.protocol], [1, "established", "TCP"]);
    }
    const v6 = between(({ server: end, port }) => end.ip === "fd00:18::2" && port === 7000);
    assert.deepEqual([sum(v6, "bytesOut"), sum(v6, "bytesIn")], [10_000, 50_000]);
    assert.ok((v6[0]?.packetsOut ?? 0) > 0 && (v6[0]?.packetsIn ?? 0) > 0);

    const [answer] = between(({ dns }) => dns !== null);
    assert.deepEqual(answer?.dns, { name: "data.example.org", type: "A", code: "NOERROR", addresses: ["198.18.0.2"] });
    const [big] = between(({ dns }) => dns?.name === "big.example.org" && dns.addresses.length > 0);
    assert.deepEqual([big?.protocol, big?.dns?.addresses], ["TCP", ["198.18.0.2"]]);
    const [http] = between(({ port }) => port === 7001);
    assert.deepEqual([http?.clear, http?.credential, http?.tls], ["http", true, null]);
    const [tls] = between(({ port }) => port === 7002);
    assert.deepEqual(tls?.tls, { version: "1.2", serverName: "bank.example" });
    const [quic] = between(({ port }) => port === 7005);
    assert.deepEqual([quic?.protocol, quic?.tls], ["UDP", { version: "1.3", serverName: "example.com" }]);
    const [refused] = between(({ port }) => port === 7999);
    assert.deepEqual([refused?.result, refused?.connections], ["refused", 1]);
    const [silent] = between(({ server: end }) => end.ip === "198.18.0.77");
    assert.deepEqual([silent?.result, silent?.connections, silent?.server.workload], ["timed-out", 1, null]);
    const datagrams = between(({ port }) => port === 7003);
    assert.deepEqual([sum(datagrams, "bytesOut"), sum(datagrams, "bytesIn")], [5, 5]);
    assert.equal(datagrams[0]?.result, "established");
    assert.equal(http?.process, "node");
    assert.equal(lost, 0n);
    assert.deepEqual(ended, []);
  });

  test("a connection that fell silent is told of while it is open, and to the byte when it ends", async () => {
    const bytes = 5_000_000;
    const burst = `exec -d ${client.id} node /live/peer.child.ts burst 198.18.0.2 ${bytes} </dev/null >/dev/null 2>&1`;
    const told = (): number =>
      sum(
        between(({ port }) => port === 7004),
        "bytesOut",
      );
    run("sh", ["-c", `runc --root ${client.root} ${burst}`]);
    await eventually("all of it is told", () => told() >= bytes || undefined);
    writeFileSync(join(client.rootfs, "tmp/end"), "");
    await pause(500);
    assert.equal(told(), bytes);
    assert.equal(
      sum(
        between(({ port }) => port === 7004),
        "connections",
      ),
      1,
    );
  });

  test("the two ends of a connection are one flow", () => {
    const http = flows.filter(({ port }) => port === 7001);
    assert.equal(sum(http, "connections"), 1);
  });
});

function workload(name: string): Workload {
  return { namespace: "test", name, kind: null, pod: name, labels: {}, serviceAccount: null, node: null };
}

function cgroupOf(pid: number): string {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
