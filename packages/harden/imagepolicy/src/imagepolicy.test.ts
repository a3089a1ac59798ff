import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ImageError } from "@bulwark/image";
import { createImageJudge, ImagePolicyError, notScanned, readImagePolicy, type ImageSource } from "./index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const now = Date.parse("2026-06-01T00:00:00Z");

function policy(spec: object): ReturnType<typeof readImagePolicy> {
  return readImagePolicy(
    { apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name: "p" }, spec },
    "p.yaml:1",
  );
}
const holds = (expression: string, more: object = {}) =>
  policy({ validations: [{ expression, message: "no" }], ...more });

function source(change: Partial<ImageSource> = {}, asked: string[] = []): ImageSource {
  return {
    report: async () => ({
      ...{ ...notScanned, known: true, scannedAt: now },
      vulnerabilities: [
        { id: "CVE-1", severity: "critical", package: "zlib", fixed: true, exploited: true, epss: 0.9, ageDays: 40 },
      ],
    }),
    async open(reference) {
      return {
        async digest() {
          asked.push(`digest ${reference}`);
          return digest;
        },
        async verify() {
          asked.push(`verify ${reference}`);
          const predicate = { builder: { id: "https://ci" } };
          const attestations = [{ authority: "ci", predicateType: "https://slsa.dev/provenance/v1", predicate }];
          return { signatures: [{ authority: "release" }], attestations, account: ["looked for x", "found 1"] };
        },
        config: async () => ({ created: "2026-05-31T00:00:00Z", config: { User: "root" } }),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    ...change,
  };
}

describe("what an ImagePolicy sees", () => {
  test("name, age, configuration, signatures, attestations and scan", async () => {
    const judge = createImageJudge({ source: source(), now: () => now });
    const reference = "registry.example.com/shop/web:1.4";
    for (const [expression, expected] of [
      ["image.registry == 'registry.example.com' && image.repository == 'shop/web' && image.tag == '1.4'", true],
      ["image.age == 86400", true],
      ["image.age < 3600", false],
      ["image.config.User != 'root'", false],
      ["image.signatures.exists(s, s.authority == 'release')", true],
      ["image.signatures.exists(s, s.authority == 'other')", false],
      ["image.attestations.exists(a, a.authority == 'ci' && a.predicate.builder.id == 'https://ci')", true],
      ["image.report.known && !image.report.vulnerabilities.exists(v, v.exploited && v.fixed)", false],
      ["image.report.vulnerabilities.all(v, v.epss < 0.95)", true],
      ["image.report.secrets == null", true],
    ] as const) {
      const verdict = await judge.judge(holds(expression), reference);
      assert.equal(verdict?.failures.length === 0, expected, `${expression}: ${verdict?.failures[0]?.message}`);
      assert.equal(verdict?.digest, digest);
    }
    const refused = await judge.judge(holds("image.signatures.size() == 9"), reference);
    assert.equal(refused?.failures[0]?.message, `${reference}: no (looked for x; found 1)`);
  });

  test("patterns choose by registry and repository, as Docker reads the name", async () => {
    for (const [pattern, reference, covered] of [
      ["docker.io/library/*", "nginx", true],
      ["docker.io/library/*", "docker.io/shop/web", false],
      ["registry.example.com/**", "registry.example.com/a/b/c@sha256:" + "b".repeat(64), true],
      ["registry.example.com/**", "registry.example.com.evil.net/a", false],
      ["registry.example.com/*", "registry.example.com/a/b", false],
    ] as const) {
      assert.equal(policy({ images: [pattern] }).covers(reference), covered, `${pattern} ${reference}`);
    }
    const judge = createImageJudge({ source: source() });
    assert.equal(await judge.judge(holds("false", { images: ["quay.io/**"] }), "nginx"), null);
  });

  test("a policy that is none is refused with place, field and excerpt", () => {
    for (const [spec, why] of [
      [
        { validations: [{ expression: "image.signatures.exists(" }] },
        /p\.yaml:1: ImagePolicy p: spec\.validations\[0\]\.expression: /,
      ],
      [{ validations: [{ expression: "'text'" }] }, /must be a bool/],
      [{ authorities: [{ name: "a", key: "x" }] }, /spec\.authorities: authority a/],
      [{ whatever: 1 }, /whatever/],
    ] as const) {
      assert.throws(
        () => policy(spec),
        (error) => error instanceof ImagePolicyError && why.test(error.message),
      );
    }
  });
});

describe("verdicts are remembered", () => {
  test("many at once ask once; a tag is asked again after a minute, a good verdict after an hour, a bad one after 30 seconds", async () => {
    const asked: string[] = [];
    let time = now;
    const judge = createImageJudge({ source: source({}, asked), now: () => time });
    const good = holds("image.signatures.size() == 1");
    await Promise.all(Array.from({ length: 50 }, async () => judge.judge(good, "web:1")));
    assert.deepEqual(asked, ["digest web:1", `verify docker.io/library/web@${digest}`]);
    time += 61_000;
    await judge.judge(good, "web:1");
    assert.deepEqual(asked.splice(0).length, 3);
    time += 3_600_000;
    await judge.judge(good, "web:1");
    assert.equal(asked.splice(0).length, 2);
    const bad = holds("image.signatures.size() == 0");
    await judge.judge(bad, `web@${digest}`);
    time += 29_000;
    await judge.judge(bad, `web@${digest}`);
    assert.equal(asked.splice(0).length, 1);
    time += 2000;
    await judge.judge(bad, `web@${digest}`);
    assert.equal(asked.length, 1);
    assert.equal(await judge.pin("web:1"), `web:1@${digest}`);
    assert.equal(await judge.pin(`web:1@${digest}`), `web:1@${digest}`);
  });

  test("what is in memory is answered without waiting, as long as it is good, and nothing is asked for it", async () => {
    const asked: string[] = [];
    let time = now;
    const judge = createImageJudge({ source: source({}, asked), now: () => time });
    const good = holds("image.signatures.size() == 1");
    assert.equal(judge.known(good, "web:1"), undefined);
    const pending = judge.judge(good, "web:1");
    assert.equal(judge.known(good, "web:1"), undefined, "not before it is there");
    const verdict = await pending;
    assert.equal(judge.known(good, "web:1"), verdict);
    assert.equal(judge.known(holds("image.signatures.size() == 2"), "web:1"), undefined, "of another policy");
    assert.equal(judge.known(good, `web@${digest}`), undefined, "by another name");
    assert.equal(asked.splice(0).length, 2);
    time += 61_000;
    assert.equal(judge.known(good, "web:1"), undefined, "the tag may mean another image by now");
    assert.deepEqual(asked, []);
  });

  test("a registry that failed is asked again at once, and another policy has a verdict of its own", async () => {
    let failures = 1;
    const own = source();
    const flaky = source({
      async open(reference) {
        if (failures-- > 0) throw new ImageError("unreachable", "the registry is away");
        return own.open(reference);
      },
    });
    const judge = createImageJudge({ source: flaky });
    await assert.rejects(judge.judge(holds("true"), "web:1"), /is away/);
    assert.deepEqual((await judge.judge(holds("true"), "web:1"))?.failures, []);
    assert.equal((await judge.judge(holds("false"), "web:1"))?.failures.length, 1);
  });
});
