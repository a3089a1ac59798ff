import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import type { BenchmarkReport, CheckState } from "@bulwark/model";
import { eventually, sampleReport } from "@bulwark/testkit";
import { writeKubeletAdvisory } from "../jobs/advisories.fixture.ts";
import { batchOf, startTestServer, type TestServer } from "../server.fixture.ts";

function reportOf(name: string, states: Record<string, CheckState>): BenchmarkReport {
  const results = Object.entries(states).map(([check, state]) => ({
    ...{ check, title: check, state, severity: "high" as const, subject: name, reason: "=so it is" },
    ...{ evidence: [{ key: "seen", value: "it" }], remedy: "mend it", line: null },
  }));
  const sets = [
    { id: "kernel", applies: true, reason: "" },
    { id: "cis-docker", applies: false, reason: "dockerd does not run here" },
  ];
  return { subject: { kind: "host", name }, collectedAt: Date.now(), durationMs: 1, sets, results };
}

const aslr = "kernel-parameter-aslr";
const kptr = "kernel-parameter-kptr-restrict";

describe("how hosts are set up, over the API", () => {
  let server: TestServer;
  let person: Client;
  after(async () => server[Symbol.asyncDispose]());
  before(async () => {
    server = await startTestServer({ agents: true });
    person = server.client(await server.login());
    const agent = server.client(await server.agent());
    const report = reportOf("node-1", { [aslr]: "fail", [kptr]: "pass" });
    await agent.ingest({ body: batchOf([{ type: "benchmark", report }]) });
  });

  async function kernel() {
    const { sets } = await person.listBenchmarks({ query: {} });
    const set = sets.find(({ id }) => id === "kernel");
    assert.ok(set);
    return set;
  }

  test("an agent tells of its own host only", async () => {
    const agent = server.client(await server.agent());
    const report = reportOf("node-2", { [aslr]: "pass" });
    await assert.rejects(agent.ingest({ body: batchOf([{ type: "benchmark", report }]) }), /speaks for another/);
    const cluster = { ...report, subject: { kind: "cluster" as const, name: "node-1" } };
    await assert.rejects(agent.ingest({ body: batchOf([{ type: "benchmark", report: cluster }]) }), /another/);
  });

  test("sets, hosts, checks and evidence", async () => {
    const { subjects, days } = await person.listBenchmarks({ query: {} });
    assert.deepEqual(
      subjects.map(({ subject, passRate }) => [subject.name, passRate]),
      [["node-1", 0.5]],
    );
    assert.deepEqual(
      days.map(({ passed, failed }) => [passed, failed]),
      [[1, 1]],
    );
    assert.deepEqual([(await kernel()).passRate, (await kernel()).subjects], [0.5, 1]);
    const { items } = await person.listBenchmarkChecks({ params: { id: "kernel" } });
    const item = items.find(({ check }) => check === aslr);
    assert.deepEqual([item?.number, item?.counts.fail, item?.answers], ["2.15", 1, "platform"]);
    assert.ok(item?.clauses["attack"]?.includes("T1611"));
    const check = await person.getBenchmarkCheck({ params: { id: aslr } });
    assert.deepEqual([check.mendable, check.subjects[0]?.state], [true, "fail"]);
    const { results } = await person.getBenchmarkResults({ query: { kind: "host", name: "node-1", check: aslr } });
    assert.deepEqual(results[0]?.evidence, [{ key: "seen", value: "it" }]);
  });

  test("an exception takes a failure out of the rate while it holds, with who and why in the audit log", async () => {
    const subject = { kind: "host" as const, name: "node-1" };
    const failing = async () => (await person.getOverview()).failedChecks;
    assert.equal(await failing(), 1);
    const exception = await person.createBenchmarkException({
      body: { check: aslr, subject, reason: "a lab", days: 30 },
    });
    assert.equal((await kernel()).passRate, 1);
    assert.equal((await kernel()).counts.excepted, 1);
    assert.equal(await failing(), 0);
    await person.deleteBenchmarkException({ params: { id: exception.id } });
    assert.equal((await kernel()).passRate, 0.5);
    await assert.rejects(
      person.createBenchmarkException({ body: { check: "none", subject, reason: "x", days: 1 } }),
      /no check/,
    );
    const actions = new Set((await server.store.audit.list({ limit: 10 })).items.map(({ action }) => action));
    assert.ok(actions.has("benchmark-exception.create") && actions.has("benchmark-exception.delete"));
  });

  test("files in three formats", async () => {
    const get = async (format: "csv" | "html" | "json") =>
      (await person.exportBenchmark({ params: { id: "kernel" }, query: { format } })).text;
    assert.match(await get("csv"), /"2\.15","kernel-parameter-aslr",.*"host node-1","fail","'=so it is"/);
    assert.match(await get("html"), /<td class="fail">fail<\/td>/);
    assert.equal((JSON.parse(await get("json")) as { rows: unknown[] }).rows.length, 2);
    await assert.rejects(
      person.exportBenchmark({ params: { id: "none" }, query: { format: "csv" } }),
      /no such benchmark/,
    );
  });
});

test("an agent tells which programs a host has; the server answers by its advisories, and again by newer ones", async () => {
  await using server = await startTestServer({ agents: true, limits: { advisoryPoll: 25 } });
  const person = server.client(await server.login());
  const check = "host-version-kubelet";
  const [known] = sampleReport(1).inventory.packages;
  assert.ok(known);
  const version = "1.29.4";
  const kubelet = { ...known, type: "binary" as const, name: "kubelet", version, source: { name: "kubelet", version } };
  const report = {
    ...reportOf("node-1", { [check]: "unknown", [aslr]: "fail" }),
    programs: {
      os: null,
      found: [{ part: "kubelet", where: "/usr/bin/kubelet", version, packages: [kubelet], reason: "" }],
    },
  };
  const agent = server.client(await server.agent());
  const tell = async () => agent.ingest({ body: batchOf([{ type: "benchmark", report }]) });
  const state = async () => {
    const { results } = await person.getBenchmarkResults({ query: { kind: "host", name: "node-1" } });
    return Object.fromEntries(results.map((one) => [one.check, one.state]));
  };

  await tell();
  assert.deepEqual(await state(), { [check]: "unknown", [aslr]: "fail" });
  const path = join(server.data, "advisories.db");
  await writeKubeletAdvisory(path, "1.29.4");
  await eventually("the report is answered", async () => ((await state())[check] === "pass" ? true : undefined));
  assert.equal((await state())[aslr], "fail", "what else was found stays");
  const next = `${path}.next`;
  await writeKubeletAdvisory(next, "1.29.5");
  await rename(next, path);
  await eventually("newer advisories are asked", async () => ((await state())[check] === "fail" ? true : undefined));
  await tell();
  assert.equal((await state())[check], "fail", "the next report is answered when it comes");
});
