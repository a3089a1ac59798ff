import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImageConfig, TreeEntry, TreeFacts } from "@bulwark/image";
import { secret } from "@bulwark/model";
import { secretAnalyzer, type SecretResult } from "./index.ts";

const github = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"].join("");
const stripe = ["sk_live_", "a8Kd93kfLs02mdKq81hxZpWe"].join("");

function entry(path: string, layer: string | null = "sha256:b"): TreeEntry {
  return { path, size: 100, mode: 0o644, uid: 0, gid: 0, layer };
}

const config: ImageConfig = {
  architecture: "amd64",
  os: "linux",
  created: null,
  user: "",
  environment: ["PATH=/usr/bin", `API=${github}`],
  entrypoint: [],
  command: ["/app"],
  labels: {},
  exposedPorts: [],
  volumes: [],
  healthcheck: false,
  history: [
    { createdBy: "FROM debian", emptyLayer: false, created: null },
    { createdBy: `ENV API=${github}`, emptyLayer: true, created: null },
    { createdBy: `RUN curl -u ${stripe}: https://api.stripe.com`, emptyLayer: false, created: null },
  ],
};
const bare: TreeFacts = { name: "shop", layers: [], config: null, osRelease: new Map(), faults: [] };

function conclude(files: [path: string, text: string, removed: boolean][], tree: TreeFacts): SecretResult {
  const facts = files.flatMap(([path, text, removed]) => {
    const fact = secretAnalyzer.examine(entry(path), Buffer.from(text));
    // Kept in a cache as JSON, and nothing in it opens anything.
    assert.ok(!JSON.stringify(fact ?? null).includes(github));
    return fact ? [{ entry: entry(path), fact: structuredClone(fact), removed }] : [];
  });
  return secretAnalyzer.conclude({ facts, faults: [], tree });
}

test("a credential in a file that a later layer removed is told, with the step that made the layer", () => {
  const layers = [{ digest: "sha256:b", step: `COPY . /app # ${github}`, origin: "application" as const }];
  const { secrets, status } = conclude([["/app/.env", `A=1\nGITHUB=${github}\n`, true]], { ...bare, layers });
  assert.equal(status.state, "done");
  const [found] = secrets;
  assert.deepEqual(
    { kind: found?.kind, location: found?.location, line: found?.line, layer: found?.layer, removed: found?.removed },
    { kind: "github-pat", location: "/app/.env", line: 2, layer: "sha256:b", removed: true },
  );
  assert.equal(found?.severity, "critical");
  assert.match(found.remedy, /Revoke/);
  assert.equal(found.step, "COPY . /app # ghp_********Lq17");
  secret.parse(found);
});

test("environment and history are looked at; what only repeats a variable is not told twice", () => {
  const { secrets } = conclude([], { ...bare, config });
  assert.deepEqual(
    secrets.map(({ location, kind, line }) => [location, kind, line]),
    [
      ["ENV API", "github-pat", null],
      ["HISTORY 3", "stripe-secret-key", null],
    ],
  );
  assert.ok(!JSON.stringify(secrets).includes(github) && !JSON.stringify(secrets).includes(stripe));
});

test("a file that could not be read makes the answer partial, with its reason", () => {
  const faults = [
    { entry: entry("/var/log/big.log"), message: "40000000 bytes; at most 33554432 are read", removed: false },
  ];
  const { status } = secretAnalyzer.conclude({ facts: [], faults, tree: bare });
  assert.deepEqual(status, {
    extractor: "secrets",
    state: "partial",
    errors: [{ path: "/var/log/big.log", message: "40000000 bytes; at most 33554432 are read" }],
  });
});

test("a large program is looked at whole; of a text that large it is said that nobody looked", () => {
  const program = Buffer.alloc(40_000_000);
  program.write("\u007fELF", 0, "latin1");
  program.write(` ${github} `, program.length - 100, "latin1");
  const at = { ...entry("/app/server"), size: program.length };
  assert.equal(secretAnalyzer.examine(at, program)?.secrets[0]?.kind, "github-pat");
  assert.throws(() => secretAnalyzer.examine(at, Buffer.alloc(40_000_000, "a\n")), /bytes of text: above the limit/);
});

test("what nobody has to read is not asked for", () => {
  assert.equal(secretAnalyzer.wants(entry("/usr/share/doc/openssl/README")), false);
  assert.equal(secretAnalyzer.wants(entry("/app/yarn.lock")), false);
  assert.equal(secretAnalyzer.wants({ ...entry("/usr/lib/libbig.so"), size: 50_000_000 }), false);
  assert.equal(secretAnalyzer.wants({ ...entry("/app/server"), size: 50_000_000 }), true);
  assert.equal(secretAnalyzer.wants(entry("/etc/app.conf")), true);
});
