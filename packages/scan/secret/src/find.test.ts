import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { findSecrets, loadKinds, maskSecrets, parseKinds, type FoundSecret } from "./index.ts";

const kinds = loadKinds();
// In two parts, so that no scanner finds them here.
const github = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"].join("");
const aws = ["AKIA", "QYLPMN5HFIQR7XYA"].join("");
const stripe = ["sk_live_", "a8Kd93kfLs02mdKq81hxZpWe"].join("");

function find(text: string | Buffer, path = "/app/settings.py"): FoundSecret[] {
  return findSecrets(kinds, Buffer.from(text), path).secrets;
}
const kindsIn = (text: string | Buffer, path?: string): string[] => find(text, path).map(({ kind }) => kind);

test("a credential is told by kind and line, and never whole", () => {
  const [found, ...more] = find(`import os\n\nTOKEN = "${github}"\n`);
  assert.deepEqual(more, []);
  assert.deepEqual(
    { ...found, fingerprint: "" },
    { kind: "github-pat", line: 3, masked: "ghp_********Lq17", fingerprint: "" },
  );
  assert.match(found?.fingerprint ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(find(`x = "${github}"`)[0]?.fingerprint, found?.fingerprint);
});

test("a wrong checksum is no credential", () => {
  assert.deepEqual(kindsIn(`TOKEN = "${github.slice(0, -1)}8"`), []);
});

test("the same credential in a file is told once, at its first line; others each", () => {
  const text = `${github}\n${github}\nkey = ${stripe}\n`;
  assert.deepEqual(
    find(text).map(({ kind, line }) => [kind, line]),
    [
      ["github-pat", 1],
      ["stripe-secret-key", 3],
    ],
  );
});

test("where several kinds fit, the surest is told, once", () => {
  assert.deepEqual(kindsIn(`api_key = "${stripe}"`), ["stripe-secret-key"]);
  assert.deepEqual(kindsIn(`export GITHUB_TOKEN_API_KEY=${github}`), ["github-pat"]);
});

test("a comment on the line, or the line before, excepts it, and is counted", () => {
  assert.deepEqual(findSecrets(kinds, Buffer.from(`x = "${github}" # bulwark:allow: revoked`), "/a.py"), {
    secrets: [],
    allowed: 1,
    cut: false,
  });
  assert.deepEqual(kindsIn(`# bulwark:allow\nx = "${github}"\n`), []);
  assert.deepEqual(kindsIn(`# bulwark:allow\n\nx = "${github}"\n`), ["github-pat"]);
  assert.deepEqual(kindsIn(`x = "${github}"\n# bulwark:allow\n`), ["github-pat"]);
});

test("documented examples, placeholders and variables are no credentials", () => {
  const texts = [
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "STRIPE_KEY=sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    'password: "${DB_PASSWORD}"',
    "postgres://user:password@localhost/db",
    'api_key: "your-api-key-here-your-api-key"',
    `GITHUB_TOKEN=ghp_${"x".repeat(36)}`,
  ];
  for (const text of texts) assert.deepEqual(kindsIn(text), [], text);
});

test("lock files, checksums and minified code are not looked at", () => {
  for (const path of [
    "/app/package-lock.json",
    "/app/yarn.lock",
    "/app/go.sum",
    "/var/lib/dpkg/info/a.md5sums",
    "/app/a.min.js",
  ]) {
    assert.equal(kinds.places.wants(path), false, path);
  }
  for (const path of [
    "/app/.env",
    "/app/src/lock.ts",
    "/etc/shadow",
    "/root/.ssh/id_rsa",
    "/usr/share/nginx/html/app.js",
  ]) {
    assert.equal(kinds.places.wants(path), true, path);
  }
  const secret = 'password: "k3Jx9vQz2LmNw8Rt"';
  assert.deepEqual(kindsIn(secret), ["generic-password"]);
  assert.deepEqual(kindsIn(`${"a;".repeat(2000)}${secret}${"b;".repeat(2000)}`), []);
  assert.deepEqual(kindsIn(secret, "/app/node_modules/left-pad/index.js"), []);
  assert.deepEqual(kindsIn(secret, "/app/test/login.py"), []);
});

test("an executable is looked at for what has an unmistakable form, unless the distribution brought it", () => {
  const binary = Buffer.concat([
    Buffer.from("\x7fELF\0\0\0\0", "latin1"),
    Buffer.alloc(500),
    Buffer.from(`\0${github}\0`),
    Buffer.alloc(99),
  ]);
  assert.deepEqual(
    find(binary, "/app/server").map(({ kind, line }) => [kind, line]),
    [["github-pat", null]],
  );
  assert.deepEqual(kindsIn(binary, "/usr/bin/server"), []);
  assert.deepEqual(kindsIn(Buffer.from(`\0\0password: "k3Jx9vQz2LmNw8Rt"`), "/app/server"), []);
});

test("a file in UTF-16 is read", () => {
  const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`a\r\n$t = "${aws}"`, "utf16le")]);
  assert.deepEqual(kindsIn(little), ["aws-access-key-id"]);
  assert.deepEqual(kindsIn(Buffer.concat([Buffer.from([0xfe, 0xff]), little.subarray(2).swap16()])), [
    "aws-access-key-id",
  ]);
});

test("a text with credentials is shown with them masked", () => {
  const step = `RUN export ä=1 && curl -H x:${github} && echo ${stripe} > /k`;
  assert.equal(maskSecrets(kinds, step), "RUN export ä=1 && curl -H x:ghp_********Lq17 && echo sk_l********ZpWe > /k");
});

test("no bytes break it, and nothing of a credential gets out", () => {
  const part = fc.constantFrom(
    ...kinds.search.candidates.map(({ literal }) => literal.toString("latin1")),
    github,
    aws,
    " = ",
    '"',
    "\n",
    ":",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string({ maxLength: 40 })), { maxLength: 60 }), (parts) => {
      const { secrets } = findSecrets(kinds, Buffer.from(parts.join("")), "/a");
      for (const { masked, line } of secrets) {
        assert.ok(masked.includes("********") && masked.length <= 90, masked);
        assert.ok(!masked.includes(github) && !masked.includes(aws));
        assert.ok(line !== null && line >= 1);
      }
    }),
    fuzzing(300),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => void findSecrets(kinds, Buffer.from(bytes), "/a")),
    fuzzing(100),
  );
});

test("more candidates than are looked at in one file are said", () => {
  const { cut } = findSecrets(kinds, Buffer.from("ghp_ ".repeat(300_000)), "/a");
  assert.equal(cut, true);
});

test("what is wrong in a file of kinds is told with its place", () => {
  const allow = {
    name: "allow.yaml",
    text: "{examples: [], patterns: [], files: [], folders: [], documentation: [], vendored: [], system: []}",
  };
  const kind = `provider: A\nremedy: b\nkinds:\n  - id: one\n    title: t\n    severity: high\n    anchors: [abcd]\n    pattern: abcd[0-9]+\n    positive: [a]\n    negative: [b]\n`;
  const wrong = (text: string): string => {
    try {
      parseKinds([allow, { name: "a.yaml", text }]);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(wrong(kind), "");
  assert.match(wrong(kind.replace("abcd[0-9]+", '"abcd(?=x)"')), /^a\.yaml:8: /);
  assert.match(wrong(kind.replace("[abcd]", "[ab]")), /^a\.yaml:7: kinds\.0\.anchors/);
  assert.match(wrong(kind.replace("    pattern: abcd[0-9]+\n", "")), /needs pattern or assigned/);
  assert.match(wrong(kind.replace("severity: high", "severity: awful")), /^a\.yaml:6: /);
  assert.match(wrong(kind.replace("positive: [a]", "positive: []")), /positive/);
  assert.match(wrong(kind.replace("negative: [b]", "negative: [b]\n    validators: [luck]")), /^a\.yaml:11: /);
});
