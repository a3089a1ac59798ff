import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { requestFor } from "@bulwark/admission";
import { updateDatabase } from "@bulwark/advisory";
import { imageGuards, judge } from "@bulwark/gate";
import {
  createImageJudge,
  notScanned,
  readImagePolicy,
  weaknessOf,
  type ImageSource,
  type ScanFacts,
} from "@bulwark/imagepolicy";
import { policySetting, type PolicyVerdict, type Report } from "@bulwark/model";
import { makeLayout, makeTar } from "@bulwark/testkit";
import { callCommand } from "../call.fixture.ts";
import { policyCommand } from "../commands/policy.ts";
import { scanCommand } from "../commands/scan.ts";
import { manifestCommand } from "./manifest.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-images-"));
after(() => rmSync(folder, { recursive: true }));
const database = join(folder, "advisories.db");
const policies = join(folder, "policies");
const web = "registry.example.com/shop/web:1";

function write(path: string, value: unknown): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
  return file;
}

/** One set of cases, for all that judges images: what is asked, and what the answer must be. */
const cases = [
  { name: "exploited", expression: "!image.report.vulnerabilities.exists(v, v.exploited && v.fixed)", denied: true },
  { name: "critical", expression: "!image.report.vulnerabilities.exists(v, v.severity == 'critical')", denied: false },
  { name: "secrets", expression: "image.report.secrets.size() == 0", denied: true },
  { name: "scanned", expression: "image.report.known", denied: false },
  { name: "configured", expression: "!image.report.checks.exists(c, c.id == 'image-root-user')", denied: true },
  { name: "registry", expression: "image.registry == 'registry.example.com'", denied: false },
  { name: "tag", expression: "image.tag != '1'", denied: true },
  { name: "young", expression: "image.age < 86400 * 30", denied: true },
  { name: "old-enough", expression: "image.age > 86400 * 30", denied: false },
  { name: "broken", expression: "image.report.nothing == 1", denied: true },
] as const;
const names = (denied: boolean): string[] =>
  cases
    .filter((one) => one.denied === denied)
    .map(({ name }) => name)
    .toSorted();
const made = "2024-01-01T00:00:00Z";

const policy = (name: string, expression: string): object => ({
  ...{ apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name } },
  spec: { images: ["registry.example.com/**"], validations: [{ expression, message: `is not ${name}` }] },
});
const pod = (image: string): { [key: string]: unknown } => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "shop" } },
  spec: { containers: [{ name: "web", image }] },
});

let image: string;
let report: Report;

before(async () => {
  const secfixes = { "8.8.1-r0": ["CVE-2024-2222"] };
  write("mirror/alpine/v3.20/main.json", {
    distroversion: "v3.20",
    packages: [{ pkg: { name: "curl", secfixes } }],
  });
  write("mirror/cisa/known_exploited_vulnerabilities.json", {
    vulnerabilities: [{ cveID: "CVE-2024-2222", dateAdded: "2024-01-01" }],
  });
  await updateDatabase({ into: database, from: join(folder, "mirror") });
  const files = {
    "etc/os-release": "ID=alpine\nVERSION_ID=3.20.3\n",
    "lib/apk/db/installed": "P:curl\nV:8.8.0-r0\nA:x86_64\no:curl\n\n",
    "app/.env": `AWS_ACCESS_KEY_ID=AKIA${"Q3XJ7KPL".repeat(2)}\n`,
  };
  image = makeLayout(folder, [makeTar(folder, files)], { created: made, architecture: "amd64", os: "linux" });
  for (const { name, expression } of cases) write(`policies/${name}.yaml`, policy(name, expression));
  const { out } = await scan("--format", "json");
  report = JSON.parse(out) as Report;
  assert.ok(
    report.checks?.some(({ check, state }) => check === "image-root-user" && state === "fail"),
    "the sample has it",
  );
});

const scan = async (...args: string[]): ReturnType<typeof callCommand> =>
  callCommand(scanCommand, ["image", image, "--offline", "--db", database, ...args]);

/** As the server knows the image by its agents' scans, and the registry has it. */
function atWebhook(): ImageSource {
  const now = Date.now();
  const facts: ScanFacts = {
    ...{ ...notScanned, known: true },
    vulnerabilities: (report.vulnerabilities ?? []).map((one) => weaknessOf(one, now)),
    secrets: (report.secrets ?? []).map(({ kind, severity }) => ({ kind, severity })),
    checks: (report.checks ?? [])
      .filter(({ state }) => state === "fail")
      .map(({ check, severity }) => ({ id: check, severity })),
  };
  return {
    report: async () => facts,
    open: async () => ({
      digest: async () => report.target.digest ?? "",
      verify: async () => ({ signatures: [], attestations: [], account: [] }),
      config: async () => ({ created: made }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  };
}

describe("one policy, the same verdict everywhere", () => {
  const saidBy = new Map<string, string[]>();

  test("at admission", async () => {
    const images = createImageJudge({ source: atWebhook() });
    const guards = cases.flatMap(({ name, expression }) =>
      imageGuards(
        readImagePolicy(policy(name, expression)),
        policySetting.parse({ policy: name, mode: "enforce" }),
        images,
      ),
    );
    // One after the other: what one denies would spare the others the question.
    const denied: string[] = [];
    for (const guard of guards) {
      const { rulings } = await judge(
        requestFor(pod(web)),
        [guard],
        {
          ...{ namespace: null, paramsOf: () => [], signal: new AbortController().signal },
          ask: async () => ({ allowed: false, reason: "" }),
        },
        { now: Date.now(), deadline: performance.now() + 10_000 },
      );
      for (const { policy: by, outcome, reason } of rulings) {
        assert.equal(outcome, "denied");
        denied.push(by);
        saidBy.set(by, [...(saidBy.get(by) ?? []), reason]);
      }
    }
    assert.deepEqual(denied.toSorted(), names(true));
  });

  test("by bulwark scan image --policy, with the webhook's words", async () => {
    const { code, out } = await scan("--as", web, "--policy", policies, "--format", "json");
    assert.equal(code, 1);
    const verdicts = (JSON.parse(out) as Report).policies ?? [];
    const of = (wanted: PolicyVerdict["verdict"]): string[] =>
      verdicts
        .filter(({ verdict }) => verdict === wanted)
        .map((one) => one.policy)
        .toSorted();
    assert.deepEqual([of("denied"), of("allowed"), of("unknown")], [names(true), names(false), []]);
    for (const { policy: by, messages } of verdicts) assert.deepEqual(messages, saidBy.get(by) ?? [], by);
    const table = await scan("--as", web, "--policy", join(policies, "exploited.yaml"));
    assert.equal(table.code, 1);
    assert.match(
      table.out,
      /Policies\n {2}denied {3}exploited\n {4}registry\.example\.com\/shop\/web:1: is not exploited/,
    );
    assert.equal((await scan("--as", web, "--policy", join(policies, "critical.yaml"))).code, 0);
  });

  test("by bulwark check manifest --reports, with the webhook's words", async () => {
    const reports = write("reports/web.json", { ...report, target: { ...report.target, name: web } });
    const path = write("pod.json", pod(web));
    const args = [path, "--policies", policies, "--reports", reports, "--offline"];
    const needsRegistry = new Set(["young", "old-enough"]);
    const { code, out } = await callCommand(manifestCommand, [...args, "--format", "json"]);
    assert.equal(code, 1);
    const [object] = (JSON.parse(out) as { objects: { findings: Said[]; unknown: Said[] }[] }).objects;
    const found = object?.findings ?? [];
    assert.deepEqual(
      found.map((one) => one.policy).toSorted(),
      names(true).filter((name) => !needsRegistry.has(name)),
    );
    for (const { policy: by, message } of found) assert.deepEqual([message], saidBy.get(by));
    // When an image was made is at the registry, and nobody may ask there.
    assert.deepEqual(new Set(object?.unknown.map((one) => one.policy)), needsRegistry);
  });

  test("by bulwark policy test", async () => {
    const { vulnerabilities, secrets, checks } = await atWebhook().report("", "");
    const age = Math.floor((Date.now() - Date.parse(made)) / 1000);
    const facts = { age, report: { vulnerabilities, secrets, checks } };
    const other = { name: "of another registry", image: "docker.io/library/other:1", expect: "allow" };
    for (const { name, denied } of cases) {
      const own = { name: "the sample", image: web, expect: denied ? "deny" : "allow", facts };
      write(`policies/${name}.cases.yaml`, [own, other]);
    }
    const { code, out } = await callCommand(policyCommand, ["test", policies, "--format", "json"]);
    const { problems, cases: count } = JSON.parse(out) as { problems: string[]; cases: number };
    assert.equal(count, 2 * cases.length);
    // Only that a policy has no case of the other kind is missing: every case holds.
    assert.deepEqual(
      problems.filter((text) => !text.endsWith(": no case that it must deny")),
      [],
    );
    assert.equal(code, 1);
    write("policies/tag.cases.yaml", [{ name: "wrong", image: web, expect: "allow" }, other]);
    const wrong = await callCommand(policyCommand, ["test", policies]);
    assert.match(wrong.out, /tag: wrong: is denied: registry\.example\.com\/shop\/web:1: is not tag/);
  });
});

interface Said {
  policy: string;
  message: string;
}

describe("what cannot be known is unknown, and is not allowed", () => {
  const manifest = async (...args: string[]): ReturnType<typeof callCommand> =>
    callCommand(manifestCommand, [write("other.json", pod(`${web.slice(0, -1)}2`)), "--policies", policies, ...args]);

  test("an image that nobody scanned", async () => {
    const { code, out } = await manifest("--only", "critical", "--offline");
    assert.equal(code, 3);
    assert.match(out, /unknown {3}critical: .*web:2/);
    assert.match(out, /1 object: 1 not known\.\n$/);
    const other = `registry.example.com/shop/web@sha256:${"a".repeat(64)}`;
    const pinned = await callCommand(manifestCommand, [
      ...[write("pinned.json", pod(other)), "--policies", policies, "--only", "critical", "--offline"],
    ]);
    assert.deepEqual([pinned.code, /it was not scanned/.test(pinned.out)], [3, true]);
  });

  test("a scan without a database, also where the policy would let it pass", async () => {
    const { code, out } = await callCommand(scanCommand, [
      ...["image", image, "--offline", "--db", join(folder, "none.db")],
      ...["--as", web, "--policy", join(policies, "scanned.yaml")],
    ]);
    assert.equal(code, 3);
    assert.match(out, /unknown {2}scanned\n[^]*its scan could not look at all of it/);
  });

  test("a signature, where no registry may be asked", async () => {
    const path = write("signed.yaml", policy("signed", "image.signatures.size() > 0"));
    const { code, out } = await scan("--as", web, "--policy", path);
    assert.equal(code, 3);
    assert.match(out, /unknown {2}signed\n[^]*who signed it is asked of its registry/);
  });

  test("a policy that is wrong, or not there, is said before the scan", async () => {
    await assert.rejects(scan("--policy", write("wrong.yaml", policy("w", "image."))), /wrong\.yaml:1: ImagePolicy w/);
    await assert.rejects(scan("--policy", write("empty.yaml", "")), /there is no ImagePolicy in it/);
    await assert.rejects(scan("--policy", join(folder, "nowhere")), /there is no such file or folder/);
    const odd = join(folder, "reports-odd");
    write("reports-odd/x.json", "{");
    await assert.rejects(manifest("--reports", odd), /x\.json/);
  });
});
