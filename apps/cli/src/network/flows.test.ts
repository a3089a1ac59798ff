import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { callCommand } from "../call.fixture.ts";
import { networkCommand } from "../commands/network.ts";

const fixture = (name: string): string => join(import.meta.dirname, "fixtures", name);
const shop = fixture("shop.yaml");
const flows = fixture("flows.jsonl");
const more = fixture("more-flows.jsonl");
const call = (...args: string[]): ReturnType<typeof callCommand> => callCommand(networkCommand, args);

test("generate writes policies that replay denies nothing of, and a stranger is denied", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-flows-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const policies = join(folder, "learned.yaml");
  for (const grain of ["namespace", "workload", "pod"]) {
    const { code, out, err } = await call("generate", "--flows", flows, "--manifests", shop, "--grain", grain);
    assert.equal(code, 0, err);
    assert.match(err, /polic(y|ies) from \d edges\n$/);
    writeFileSync(policies, out);
    const same = await call("replay", "--policies", policies, "--manifests", shop, "--flows", flows);
    assert.equal(same.code, 0, same.out);
    assert.match(same.out, /^14 connections on 3 edges: none denied\n$/);
    const stranger = await call("replay", "--policies", policies, "--manifests", shop, "--flows", flows, more);
    assert.equal(stranger.code, 1);
    assert.match(stranger.out, /monitoring\/prometheus → shop\/db {2}TCP 5432 {2}1 connection,/);
    assert.match(stranger.out, /1 edge with attempts only: 1 would have been denied/);
    assert.match(stranger.err, /broken: .*more-flows\.jsonl:3: no JSON/);
  }
});

test("replay of hand-written policies, with ports by name", async () => {
  const { code, out } = await call(
    "replay",
    "--policies",
    fixture("before.yaml"),
    "--manifests",
    shop,
    "--flows",
    flows,
    more,
    "--format",
    "json",
  );
  assert.equal(code, 1);
  const { denied } = JSON.parse(out) as { denied: { port: number; side: string; reason: string }[] };
  assert.deepEqual(
    denied.map(({ port, side }) => [port, side]),
    [[5432, "ingress"]],
  );
  assert.match(denied[0]?.reason ?? "", /shop\/db/);
});

test("generate with names writes Cilium's kind; what was broken makes it partial", async () => {
  const { code, out } = await call("generate", "--flows", flows, more, "--names");
  assert.equal(code, 3);
  assert.match(out, /kind: CiliumNetworkPolicy[\s\S]*matchName: api\.example\.com/);
});

test("a wrong call says what, where and how to mend", async () => {
  for (const [args, message] of [
    [["generate"], /needs --flows FILE/],
    [["generate", flows], /flows\.jsonl: what is it\?/],
    [["generate", "--flows", flows, "--grain", "planet"], /--grain planet/],
    [["generate", "--flows", flows, "--format", "xml"], /--format xml/],
    [["generate", "--flows", shop], /no flow in \d+ lines/],
    [["generate", "--flows", fixture("none.json")], /no flow in 0 lines/],
    [["replay", "--flows", flows], /needs --policies/],
    [["replay", "--flows", flows, "--policies", shop], /no policy in it/],
  ] as const) {
    await assert.rejects(call(...args), message, args.join(" "));
  }
});

test("detect tells what is out of the ordinary, why, and by which technique", async (context) => {
  const plain = await call("detect", "--flows", flows, "--baseline", flows);
  assert.equal(plain.code, 0, plain.out);
  assert.match(plain.out, /^0 in 14 flows\nnot looked for: known-bad/);
  const stranger = await call("detect", "--flows", more, "--baseline", flows, "--format", "json");
  assert.equal(stranger.code, 1);
  const { anomalies } = JSON.parse(stranger.out) as {
    anomalies: { detector: string; subject: string; techniques: string[] }[];
  };
  assert.deepEqual(
    anomalies.map(({ detector, subject }) => [detector, subject]),
    [["novelty", "monitoring/prometheus"]],
  );
  assert.equal((await call("detect", "--flows", more, "--baseline", flows, "--fail-on", "high")).code, 3);
  const folder = mkdtempSync(join(tmpdir(), "bulwark-detect-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "bad.txt"), "203.0.113.0/24\n");
  const listed = await call("detect", "--flows", flows, "--list", join(folder, "bad.txt"));
  assert.equal(listed.code, 1);
  assert.match(listed.out, /high {3}An address or name that is known to be bad {2}\(known-bad, T1071, score 1\.00\)/);
  await assert.rejects(call("detect", "--flows", flows, "--list", join(folder, "none.txt")), /none\.txt: ENOENT/);
  await assert.rejects(call("detect", "--flows", flows, "--fail-on", "doom"), /--fail-on doom/);
});
