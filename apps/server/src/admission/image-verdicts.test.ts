import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { ApiError, type Client, type ImageVerdict } from "@bulwark/contract";
import { createImageJudge, policyVerdictOf, readImagePolicy, weaknessOf, type ImageSource } from "@bulwark/imagepolicy";
import { registrySettings, type ImageReport, type PolicyMode, type Weakness } from "@bulwark/model";
import { sampleReport, sampleWeakness } from "@bulwark/testkit";
import { startTestServer, type TestServer } from "../server.fixture.ts";

/** Nobody answers there: what is known must be known without it. */
const name = "127.0.0.1:1/shop/web:1.4";
const digest = `sha256:${"d".repeat(64)}`;
const scanned: ImageReport = { ...sampleReport(1), key: `${name}@${digest}`, name, digest, secrets: [] };
const weaknesses: Weakness[] = [
  sampleWeakness(0, { exploited: true, fixedVersion: "2" }),
  sampleWeakness(1, { exploited: false }),
];

interface Case {
  name: string;
  expression: string;
  mode: PolicyMode;
  verdict: ImageVerdict["verdict"];
  images?: string;
}
/** The worst first, then by name. */
const cases: Case[] = [
  { name: "broken", expression: "image.report.nothing == 1", mode: "enforce", verdict: "denied" },
  {
    ...{ name: "exploited", expression: "!image.report.vulnerabilities.exists(v, v.exploited && v.fixed)" },
    ...{ mode: "enforce", verdict: "denied" },
  },
  { name: "tagged", expression: "image.tag == '2'", mode: "warn", verdict: "warned" },
  { name: "pinned", expression: "image.reference.contains('@')", mode: "observe", verdict: "observed" },
  { name: "signed", expression: "image.signatures.size() > 0", mode: "enforce", verdict: "unknown" },
  { name: "of-digest", expression: `image.digest == '${digest}'`, mode: "enforce", verdict: "allowed" },
  {
    ...{ name: "scanned", expression: "image.report.known && image.report.secrets.size() == 0" },
    ...{ mode: "enforce", verdict: "allowed" },
  },
  { name: "others", expression: "false", mode: "enforce", verdict: "not-applicable", images: "quay.io/**" },
];
const documentOf = ({ name: policy, expression, images = "**" }: Case): object => ({
  ...{ apiVersion: "bulwark.dev/v1", kind: "ImagePolicy", metadata: { name: policy } },
  spec: { images: [images], validations: [{ expression, message: `is not ${policy}` }] },
});

let server: TestServer;
let person: Client;

before(async () => {
  server = await startTestServer();
  person = server.client(await server.login());
  const now = Date.now();
  await server.store.images.put("server", scanned, now);
  await server.store.findings.replace(scanned.key, weaknesses, ["vulnerability"], now);
});
after(async () => server[Symbol.asyncDispose]());

async function set(policy: string, mode: PolicyMode | null, from: number | null = null, by = person): Promise<void> {
  const setting = { from, failurePolicy: "Ignore" as const, excludedNamespaces: [], fix: false };
  await by.setPolicy({ params: { id: policy }, body: mode && { ...setting, mode } });
}

async function verdicts(key = scanned.key): Promise<ImageVerdict[]> {
  return (await person.judgeImage({ params: { id: key } })).items;
}

/** What `bulwark scan image --policy` knows: the report, and that the name means what was scanned. */
const ofScan: ImageSource = {
  report: async () => ({
    ...{ known: true, scannedAt: scanned.scannedAt, malware: null, checks: null, secrets: [] },
    vulnerabilities: weaknesses.flatMap((one) =>
      one.kind === "vulnerability" ? [weaknessOf(one.vulnerability, Date.now())] : [],
    ),
  }),
  open: async () => ({
    digest: async () => digest,
    verify: async () => Promise.reject(new Error("not asked here")),
    config: async () => ({}),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};

test("an image that was scanned is judged by every image policy in force, in the words of scan image --policy", async () => {
  assert.deepEqual(await verdicts(), [], "none is set");
  for (const one of cases) {
    await person.putPolicyDocument({ params: { id: one.name }, body: { text: JSON.stringify(documentOf(one)) } });
  }
  assert.deepEqual(await verdicts(), [], "none is in force");
  for (const one of cases) await set(one.name, one.mode);
  await set("no-latest-tag", "enforce");

  const said = await verdicts();
  assert.deepEqual(
    said.map(({ policy, mode, verdict }) => [policy, mode, verdict]),
    cases.map((one) => [one.name, one.mode, one.verdict]),
  );
  const judge = createImageJudge({ source: ofScan });
  for (const one of cases) {
    const { messages = [], verdict } = said.find(({ policy }) => policy === one.name) ?? {};
    if (verdict === "unknown") continue;
    const policy = readImagePolicy(documentOf(one));
    const expected = await policyVerdictOf(policy, name, judge.judge(policy, name));
    assert.deepEqual(messages, expected?.messages ?? [], one.name);
    const fails = verdict !== "allowed" && verdict !== "not-applicable";
    assert.equal(expected?.verdict, verdict === "not-applicable" ? undefined : fails ? "denied" : "allowed", one.name);
  }
  const signed = said.find(({ policy }) => policy === "signed");
  assert.match(signed?.messages.join() ?? "", /127\.0\.0\.1:1/, "why it is not known is said");
});

test("a policy whose day has not come observes, and one that is off is not asked", async () => {
  await set("exploited", "enforce", Date.now() + 3_600_000);
  await set("broken", null);
  const said = await verdicts();
  assert.equal(said.find(({ policy }) => policy === "exploited")?.verdict, "observed");
  assert.equal(
    said.find(({ policy }) => policy === "broken"),
    undefined,
  );
});

test("a root file system without a digest is judged by nobody: unknown where a policy is about its name", async () => {
  const key = "rootfs:node-1:/srv/rootfs";
  await server.store.images.put("node-1", { ...scanned, key, name: "shop/web", digest: null }, Date.now());
  const said = new Map((await verdicts(key)).map(({ policy, ...rest }) => [policy, rest]));
  assert.equal(said.get("others")?.verdict, "not-applicable");
  assert.equal(said.get("scanned")?.verdict, "unknown");
  assert.match(said.get("scanned")?.messages.join() ?? "", /shop\/web: .*no digest/);
});

test("how old an image is its registry says, once for all who look, and not again while the verdict is remembered", async () => {
  await using registry = await startRegistry();
  await using other = await serverThatAsksHowOld(registry);
  const look = async (): Promise<ImageVerdict[]> =>
    (await other.person.judgeImage({ params: { id: other.key } })).items;
  const [first, second] = [await Promise.all([look(), look()]), await look()];
  for (const [said] of [...first, second]) {
    assert.deepEqual([said?.verdict, said?.messages], ["denied", [`${other.name}: is not young`]]);
  }
  assert.deepEqual(registry.asked.filter((url) => !url.endsWith("/v2/")).length, 2, registry.asked.join(" "));
});

test("a private registry is asked with the credentials that it is connected with; until then nothing is known of its images", async () => {
  const credentials = { username: "reader", password: "correct horse" };
  await using registry = await startRegistry(credentials);
  await using other = await serverThatAsksHowOld(registry);
  const look = async (): Promise<ImageVerdict | undefined> =>
    (await other.person.judgeImage({ params: { id: other.key } })).items[0];
  const before = await look();
  assert.equal(before?.verdict, "unknown");
  assert.match(before.messages.join(), /wants a user and a password/, "why is said");

  const settings = registrySettings.parse({
    ...{ name: "Shop", url: `http://${registry.host}`, repositories: ["shop/*"], everyHours: null },
  });
  await other.person.addRegistry({ body: { settings, credentials: { ...credentials, password: "wrong" } } });
  assert.equal((await look())?.verdict, "unknown", "nor with wrong ones");
  const [wrong] = (await other.person.listRegistries()).items;
  await other.person.changeRegistry({ params: { id: wrong?.id ?? "" }, body: { settings, credentials } });
  assert.equal((await look())?.verdict, "denied");
});

interface Registry extends AsyncDisposable {
  host: string;
  /** Of its one image, made in 2020. */
  digest: string;
  asked: string[];
}

async function startRegistry(login?: { username: string; password: string }): Promise<Registry> {
  const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
  const config = JSON.stringify({ created: "2020-01-01T00:00:00Z", config: {} });
  const manifest = JSON.stringify({ schemaVersion: 2, config: { digest: digestOf(config) }, layers: [] });
  const asked: string[] = [];
  const wanted = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const registry = createServer(({ url = "", headers }, response) => {
    asked.push(url);
    if (wanted !== undefined && headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="shop"' }).end();
      return;
    }
    const path = `/v2/shop/web`;
    const body = {
      [`${path}/manifests/${digestOf(manifest)}`]: manifest,
      [`${path}/blobs/${digestOf(config)}`]: config,
    };
    response.writeHead(body[url] === undefined ? 404 : 200).end(body[url]);
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  return {
    host: `127.0.0.1:${(registry.address() as AddressInfo).port}`,
    digest: digestOf(manifest),
    asked,
    async [Symbol.asyncDispose]() {
      registry.close();
      registry.closeAllConnections();
    },
  };
}

/** A server with the image of the registry, and a policy that no image may be older than a day. */
async function serverThatAsksHowOld({
  host,
  digest: at,
}: Registry): Promise<AsyncDisposable & { person: Client; key: string; name: string }> {
  const registries = { plainHttp: [host] };
  const other = await startTestServer({
    yaml: JSON.stringify({ server: { port: 0, admission: { port: 0, registries } } }),
  });
  const client = other.client(await other.login());
  const old = { name: "young", expression: "image.age < 86400", mode: "enforce", verdict: "denied" } as const;
  const image = `${host}/shop/web:1`;
  const key = `${image}@${at}`;
  await other.store.images.put("server", { ...scanned, key, name: image, digest: at }, Date.now());
  await client.putPolicyDocument({ params: { id: "young" }, body: { text: JSON.stringify(documentOf(old)) } });
  await set("young", "enforce", null, client);
  return { person: client, key, name: image, [Symbol.asyncDispose]: () => other[Symbol.asyncDispose]() };
}

test("who may only read may look; nobody else, and not at what is not there", async () => {
  const { secret } = await person.createToken({ body: { name: "reader", scope: "read", days: 1 } });
  const reader = server.client({ authorization: `Bearer ${secret}` });
  assert.ok((await reader.judgeImage({ params: { id: scanned.key } })).items.length > 0);
  const refusedWith = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;
  await assert.rejects(server.client().judgeImage({ params: { id: scanned.key } }), refusedWith(401));
  await assert.rejects(reader.judgeImage({ params: { id: "none" } }), refusedWith(404));
});
