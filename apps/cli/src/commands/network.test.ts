import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { callCommand } from "../call.fixture.ts";
import { networkCommand } from "./network.ts";

const fixture = (name: string): string => join(import.meta.dirname, "../network/fixtures", name);
const shop = fixture("shop.yaml");
const before = fixture("before.yaml");
const after = fixture("after.yaml");
const careless = fixture("careless.yaml");

const call = (...args: string[]): ReturnType<typeof callCommand> => callCommand(networkCommand, args);
const query = (from: string, to: string, port: string): string[] => ["--from", from, "--to", to, "--port", port];

test("evaluate answers one question with the rule that decided, and its line", async () => {
  const { code, out } = await call("evaluate", shop, before, ...query("shop/web", "shop/db", "5432"));
  assert.equal(code, 0);
  assert.match(out, /^allowed {2}shop\/web → shop\/db {2}TCP 5432\n/);
  assert.match(out.replaceAll(/\s+/g, " "), /NetworkPolicy shop\/db, spec\.ingress\[0\]\.from\[0\] .*before\.yaml:1\)/);
  const denied = await call("evaluate", shop, before, ...query("203.0.113.9", "shop/db", "5432"), "--format", "json");
  const verdict = JSON.parse(denied.out) as { allowed: boolean; ingress: { isolatedBy: { name: string }[] } };
  assert.equal(verdict.allowed, false);
  assert.deepEqual(
    verdict.ingress.isolatedBy.map(({ name }) => name),
    ["db"],
  );
});

test("evaluate shows the whole table within 80 columns", async () => {
  const { code, out } = await call("evaluate", shop, before);
  assert.equal(code, 0);
  assert.match(out, /shop\/web +→ shop\/db +TCP 5432\n/);
  assert.doesNotMatch(out, /monitoring\/prometheus +→ shop\/db/);
  assert.match(out, /outside +→ shop\/web +all ports/);
  assert.deepEqual(
    out.split("\n").filter((line) => line.length > 80),
    [],
  );
});

test("explain says what would change it, as YAML to apply", async () => {
  const { code, out } = await call("explain", shop, before, ...query("monitoring/prometheus", "shop/db", "5432"));
  assert.equal(code, 0);
  assert.match(out, /other peer NetworkPolicy shop\/db, spec\.ingress\[0\]/);
  assert.match(out, /To allow it:[\s\S]*kind: NetworkPolicy[\s\S]*kubernetes\.io\/metadata\.name: monitoring/);
  const allowed = await call("explain", shop, before, ...query("shop/web", "shop/db", "5432"));
  assert.match(allowed.out, /To deny it:\n +1\. take spec\.ingress\[0\] out of NetworkPolicy shop\/db/);
});

test("diff tells what a change opens, and fails on it when asked to", async () => {
  const sides = ["--before", shop, before, "--after", shop, after];
  const plain = await call("diff", ...sides);
  assert.equal(plain.code, 0);
  assert.match(plain.out, /^opens\nmonitoring\/prometheus +→ shop\/db +TCP 5432\n$/);
  assert.equal((await call("diff", ...sides, "--fail-on-open")).code, 1);
  const back = await call("diff", "--fail-on-open", "--before", shop, after, "--after", shop, before);
  assert.equal(back.code, 0);
  assert.match(back.out, /^closes\n/);
});

test("lint tells what is wrong and where, with exit code 1; nothing found is 0", async () => {
  const { code, out } = await call("lint", shop, careless, "--format", "json");
  assert.equal(code, 1);
  const { findings } = JSON.parse(out) as { findings: { code: string; source: string }[] };
  const codes = new Set(findings.map((finding) => finding.code));
  assert.deepEqual(
    [...codes].sort((a, b) => (a < b ? -1 : 1)),
    [
      "invalid",
      "peer-matches-nothing",
      "same-priority",
      "selects-nothing",
      "shadowed-rule",
      "unexpected-meaning",
      "unresolved-port-name",
    ],
  );
  assert.ok(findings.every(({ source }) => /careless\.yaml:\d+$/.test(source)));
  assert.deepEqual(await call("lint", shop, before), { code: 0, out: "nothing found\n", err: "" });
});

test("a policy that is wrong ends the call with its place; with --skip-invalid the answer is partial", async () => {
  await assert.rejects(
    call("evaluate", shop, careless),
    /careless\.yaml:20: NetworkPolicy shop\/wrong: spec\.ingress\[0\]/,
  );
  const partial = await call("evaluate", shop, careless, "--skip-invalid");
  assert.equal(partial.code, 3);
  assert.match(partial.err, /error: .*careless\.yaml:20/);
  assert.match(partial.err, /projectcalico\.org\/v3 are not understood/);
});

test("a wrong call says what, where and how to mend", async () => {
  for (const [args, message] of [
    [[], /nothing to do/],
    [["guess"], /no such thing to do: guess/],
    [["evaluate"], /needs a FILE/],
    [["evaluate", fixture("none.yaml")], /none\.yaml: ENOENT/],
    [["evaluate", shop, "--from", "shop/web"], /needs --to and --port/],
    [["evaluate", shop, ...query("shop/web", "shop/db", "http")], /--port http/],
    [["evaluate", shop, ...query("shop/web", "shop/db", "1"), "--protocol", "icmp"], /--protocol icmp/],
    [["evaluate", shop, ...query("shop/nobody", "shop/db", "1")], /"shop\/nobody": no such pod/],
    [["evaluate", shop, "--format", "xml"], /--format xml/],
    [["evaluate", shop, "--nope"], /--nope/],
    [["diff", "--after", shop], /needs a --before FILE/],
    [["diff", shop, "--before", shop, "--after", shop], /before or after/],
    [["explain", shop], /needs --from, --to and --port/],
  ] as const) {
    await assert.rejects(call(...args), message, args.join(" "));
  }
});

test("control bytes of foreign names never reach the terminal raw", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-network-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const evil = "evil\u001B]0;owned\u0007\u009B31m";
  const objects = [
    { apiVersion: "v1", kind: "Pod", metadata: { name: evil, namespace: "a", labels: { app: evil } }, spec: {} },
    { apiVersion: "v1", kind: "Pod", metadata: { name: "b", namespace: "a" }, spec: {} },
    {
      apiVersion: "policy.networking.k8s.io/v1alpha2",
      kind: "ClusterNetworkPolicy",
      metadata: { name: "p" },
      spec: {
        tier: "Admin",
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ name: evil, action: "Deny", from: [{ namespaces: {}, [evil]: {} }] }],
      },
    },
  ];
  writeFileSync(join(folder, "evil.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  for (const format of ["table", "json"]) {
    for (const args of [
      ["evaluate"],
      ["lint"],
      ["explain", ...query(`a/${evil}`, "a/b", "80")],
      ["evaluate", ...query(`a/${evil}`, "a/b", "80")],
    ]) {
      const [verb = "", ...rest] = args;
      const { out, err } = await call(verb, folder, ...rest, "--format", format);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(out + err, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/, `${verb} ${format}`);
      assert.match(out + err, /owned/);
    }
  }
});
