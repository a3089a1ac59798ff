import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentRecord } from "@bulwark/model";
import { createEngine, loadRules } from "@bulwark/rules";
import type { SensorRecord } from "@bulwark/sensor";
import { sampleContainer } from "@bulwark/testkit";
import { story } from "../cases.ts";
import { rulesDetector } from "../detectors/rules.ts";
import { Names } from "../names.ts";
import { Pipeline } from "../pipeline.ts";

const container = sampleContainer(1, { id: "c1" });

/** What a rule of that condition, and the events, come to. */
function judged(condition: string, records: SensorRecord[]): { outputs: string[]; events: number } {
  const text = `- {rule: r, desc: d, priority: INFO, condition: '${condition}', output: "%evt.type %bulwark.dns.name %fd.sip.name"}`;
  const { ruleset, errors } = loadRules([{ name: "t", text }]);
  assert.deepEqual(errors, []);
  const out: AgentRecord[] = [];
  const pipeline = new Pipeline({
    node: "n",
    run: "r",
    detectors: [rulesDetector(createEngine(ruleset))],
    ownerOf: () => ({ attribution: "container", container }),
    host: false,
    epoch: Number,
    now: () => 1_000_000,
    emit: (emitted) => out.push(...emitted),
    missingOwner() {},
  });
  pipeline.push(records);
  const alerts = out.flatMap((item) => (item.type === "alert" ? [item.alert] : []));
  return {
    outputs: alerts.map(({ evidence }) => evidence.find(({ key }) => key === "output")?.value ?? ""),
    events: out.filter((item) => item.type === "event" && item.event.kind === "dns").length,
  };
}

const s = story();
const program = s.exec(10, "/app");
function answer(name: string, answers: string[], more: { code?: number; networkNamespace?: number } = {}) {
  const ends = { client: { ip: "172.17.0.2", port: 5000 }, server: { ip: "10.96.0.10", port: 53 } };
  return s.does(10, { type: "dns", protocol: "UDP", name, kind: 1, code: 0, answers, ...ends, ...more });
}

test("a rule holds of a name, of the domains that it is in, of its kind, its code and what it was answered with", () => {
  const records = [program, answer("a.b.example.org", ["cdn.example.net", "192.0.2.7"], { code: 3 })];
  for (const [condition, holds] of [
    ["evt.type = dns and bulwark.dns.name = a.b.example.org", true],
    ["evt.type = dns and bulwark.dns.domain in (b.example.org)", true],
    ["evt.type = dns and bulwark.dns.domain = example.org", true],
    ["evt.type = dns and bulwark.dns.domain = xample.org", false],
    ["evt.type = dns and bulwark.dns.kind = A and bulwark.dns.code = NXDOMAIN", true],
    ["evt.type = dns and bulwark.dns.answer = 192.0.2.7", true],
    ["evt.type = dns and bulwark.dns.answer = 192.0.2.8", false],
    ["evt.type = dns and fd.sip = 10.96.0.10 and fd.sport = 53 and fd.l4proto = udp", true],
    ["evt.type = dns and fd.sip.name exists", false],
    ["evt.type = connect and bulwark.dns.name exists", false],
  ] as const) {
    assert.equal(judged(condition, records).outputs.length, holds ? 1 : 0, condition);
  }
});

test("a connection has the names by which its container knows the other end", () => {
  const known = [program, answer("first.example.org", ["192.0.2.7"]), answer("www.example.com", ["192.0.2.7"])];
  const told = (condition: string, ip: string, before = known) =>
    judged(`evt.type = connect and ${condition}`, [...before, s.connect(10, ip, 443)]).outputs;
  assert.deepEqual(told("fd.sip.name = first.example.org", "192.0.2.7"), [
    "connect <NA> (www.example.com,first.example.org)",
  ]);
  assert.equal(told("fd.rip.name in (www.example.com)", "192.0.2.7").length, 1);
  assert.equal(told("bulwark.fd.domain = example.com", "192.0.2.7").length, 1);
  assert.deepEqual(told("fd.sip.name exists", "192.0.2.8"), [], "an address that nobody named");
  assert.deepEqual(told("fd.sip.name != x", "192.0.2.8"), [], "what is not known makes every comparison false");
  const others = [program, answer("first.example.org", ["192.0.2.7"], { networkNamespace: 99 })];
  assert.deepEqual(told("fd.sip.name exists", "192.0.2.7", others), [], "another container's names say nothing");
});

test("a name that is asked for again is judged each time, and kept as an event once in a while", () => {
  const asked = (pid: number) => ({ ...answer("example.org", ["192.0.2.7"]), pid, startTime: BigInt(pid) });
  const { outputs, events } = judged("evt.type = dns and proc.name = evil", [
    program,
    asked(10),
    asked(10),
    s.exec(11, "/evil"),
    asked(11),
  ]);
  assert.deepEqual([outputs.length, events], [1, 1]);
});

test("a container that asks for much forgets its own names; there is a bound to all of them", () => {
  const names = new Names();
  const learn = (networkNamespace: number, name: string, answers: string[]): void =>
    names.learn({ ...answer(name, answers), type: "dns", networkNamespace } as Parameters<Names["learn"]>[0]);
  learn(1, "kept.example.org", ["192.0.2.1"]);
  for (let i = 0; i < 3000; i++) learn(2, `n${i}.example.org`, [`10.0.${i >> 8}.${i & 255}`]);
  for (let i = 0; i < 20; i++) learn(2, `m${i}.example.org`, ["10.9.9.9"]);
  assert.deepEqual(names.of(1, "192.0.2.1"), ["kept.example.org"]);
  assert.deepEqual(names.of(2, "10.0.0.0"), []);
  assert.equal(names.of(2, "10.9.9.9").length, 4);
  // Many networks, as who may make user namespaces makes them.
  for (let network = 3; network < 500; network++) {
    for (let i = 0; i < 100; i++) learn(network, `n${i}.example.org`, [`10.1.1.${i}`]);
  }
  assert.deepEqual(names.of(3, "10.1.1.1"), []);
  assert.deepEqual(names.of(499, "10.1.1.1"), ["n1.example.org"]);
});
