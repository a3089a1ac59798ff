import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Client } from "@bulwark/contract";
import { connectedRegistry, registrySettings, type Finding, type RegistrySettings } from "@bulwark/model";
import {
  eventually,
  freePort,
  makeLayout,
  makeTar,
  missing,
  run,
  sampleContainer,
  startDaemon,
  type Daemon,
} from "@bulwark/testkit";
import { writeAdvisories } from "../jobs/advisories.fixture.ts";
import { batchOf, post, refusal, startTestServer, type TestServer } from "../server.fixture.ts";

const skip = missing("registry", "skopeo");
const patience = 240_000;
const user = { username: "scanner", password: "correct horse" };
/** Of that password, by bcrypt. */
const hash = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
// In pieces, so that nobody takes this file for what it tests with.
const credential = ["AKIA", "Z7QWERTY5ASDFG2H"].join("");

describe("a registry that is connected", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-registries-"));
  let server: TestServer;
  let person: Client;
  let settings: RegistrySettings;
  let address = "";
  let id = "";
  let token = "";
  let registry: Daemon | undefined;
  let layer: Buffer;

  before(async () => {
    server = await startTestServer({ limits: { registryPoll: 50, advisoryPoll: 50 } });
    person = server.client(await server.login());
    address = `127.0.0.1:${await freePort()}`;
    const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
    const names = ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
    run("openssl", ["req", "-x509", "-days", "2", ...made, "-out", certificate, ...names]);
    settings = registrySettings.parse({
      ...{ name: "Shop", url: `https://${address}`, authority: readFileSync(certificate, "utf8") },
      ...{ repositories: ["shop/*"], everyHours: null },
    });
  });
  after(async () => {
    await registry?.stop();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Debian's registry, with a password, https and notifications. */
  async function startRegistry(): Promise<void> {
    writeFileSync(join(folder, "users"), `${user.username}:${hash}\n`);
    const hook = `${server.url}/api/v1/registry-hooks/${id}/${token}`;
    const config = {
      version: "0.1",
      storage: { filesystem: { rootdirectory: join(folder, "blobs") } },
      http: { addr: address, tls: { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") } },
      auth: { htpasswd: { realm: "test", path: join(folder, "users") } },
      notifications: { endpoints: [{ name: "bulwark", url: hook, timeout: "10s", threshold: 5, backoff: "1s" }] },
    };
    writeFileSync(join(folder, "registry.yml"), JSON.stringify(config));
    registry = startDaemon("docker-registry", ["serve", join(folder, "registry.yml")]);
    await eventually(
      "the registry answers",
      async () => {
        run("openssl", ["s_client", "-connect", address, "-CAfile", join(folder, "tls.crt"), "-verify_return_error"]);
        return true;
      },
      patience,
    );
  }

  function push(name: string, layer: Buffer): void {
    const history = [{ created_by: "COPY . / # buildkit" }];
    const config = { architecture: "amd64", os: "linux", config: {}, history };
    const layout = makeLayout(folder, [layer], config);
    const insecure = ["--insecure-policy", "copy", "--dest-tls-verify=false"];
    run("skopeo", [
      ...insecure,
      "--dest-creds",
      `${user.username}:${user.password}`,
      `oci:${layout}`,
      `docker://${address}/${name}`,
    ]);
  }

  async function findings(kind: Finding["kind"], count: number): Promise<Finding[]> {
    return eventually(
      `${count} findings: ${kind}`,
      async () => {
        const { items } = await person.listFindings({ query: { kind, state: "open" } });
        return items.length === count ? items : undefined;
      },
      patience,
    );
  }

  test("that cannot be reached says why, and its password is nowhere to be read", async () => {
    const added = await person.addRegistry({ body: { settings, credentials: user } });
    ({ id } = added.registry);
    ({ token } = added.hook);
    const failed = await eventually(
      "the failure is told",
      async () => {
        const found = await person.getRegistry({ params: { id } });
        return found.state === "failed" ? found : undefined;
      },
      patience,
    );
    assert.match(failed.reason, /ECONNREFUSED/);
    assert.notEqual(failed.nextAt, null);
    const [listed] = (await person.listRegistries()).items;
    assert.deepEqual(connectedRegistry.parse(listed), listed);
    assert.equal(listed?.hasCredentials, true);
    for (const name of readdirSync(server.data, { recursive: true, encoding: "utf8" }))
      if (/bulwark\.db/.test(name))
        assert.ok(!readFileSync(join(server.data, name)).includes(user.password), `${name} has the password`);
  });

  test("a push that its notification tells of is scanned within seconds; what does not fit the filters is not", async (t) => {
    await startRegistry();
    layer = makeTar(folder, {
      "etc/os-release": 'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n',
      "lib/apk/db/installed": "P:openssl\nV:3.3.0-r2\nA:x86_64\no:openssl\nL:Apache-2.0\n\n",
      "srv/app/.env": `AWS_ACCESS_KEY_ID=${credential}\n`,
    });
    push("other/web:1", layer);
    const start = performance.now();
    push("shop/web:1", layer);
    const [secret] = await findings("secret", 1);
    t.diagnostic(`from the beginning of the push to the finding: ${Math.round(performance.now() - start)} ms`);
    assert.equal(secret?.asset.name, `${address}/shop/web:1`);
    assert.deepEqual(secret.locations, ["/srv/app/.env"]);
    assert.match(secret.layer ?? "", /^sha256:/);
    assert.equal(secret.step, "COPY . /");
    assert.ok(!JSON.stringify(secret).includes(credential));
    const scans = (await person.listScans({ query: { origin: "registry" } })).items;
    assert.deepEqual(
      scans.map(({ name, state }) => [name, state]),
      [[`${address}/shop/web:1`, "done"]],
    );
    const { items } = await person.listRegistryImages({ params: { id }, query: {} });
    assert.deepEqual(
      items.map(({ repository, tag }) => [repository, tag]),
      [["shop/web", "1"]],
    );
  });

  test("what was pushed while nobody was told is found when the registry is looked at", async () => {
    await person.newRegistryHook({ params: { id } });
    push("shop/db:2", layer);
    await person.scanRegistry({ params: { id }, body: { again: false } });
    await eventually(
      "it is scanned",
      async () => {
        const { items } = await person.listScans({ query: { state: "done", q: "shop/db" } });
        return items.length === 1 ? true : undefined;
      },
      patience,
    );
    const { state, images, nextAt } = await person.getRegistry({ params: { id } });
    assert.deepEqual([state, images, nextAt], ["ok", 2, null]);
    assert.equal((await person.countScans()).counts.registry.done, 2);
  });

  test("an advisory that comes later reaches the workload that runs the image, without the registry", async (t) => {
    await registry?.stop();
    const [secret] = await findings("secret", 2);
    const [name = "", digest = ""] = secret?.asset.key.split("@") ?? [];
    const container = sampleContainer(1, { image: { name, digest } });
    const sent = await post(
      `${server.url}/api/agent/v1/records`,
      batchOf([{ type: "container", container }]),
      await server.agent(),
    );
    assert.equal(sent.status, 200);
    const path = join(server.data, "advisories.db");
    await writeAdvisories(path, "openssl", { "3.3.1-r1": ["CVE-2024-0001"] });
    const two = await findings("vulnerability", 2);
    assert.equal(two.filter(({ runningContainers }) => runningContainers === 1).length, 1);
    const start = performance.now();
    await writeAdvisories(path, "openssl", { "3.3.1-r1": ["CVE-2024-0001"], "3.3.2-r0": ["CVE-2024-0002"] });
    await findings("vulnerability", 4);
    t.diagnostic(`from the new database to the finding: ${Math.round(performance.now() - start)} ms`);
    const { items } = await person.listFindingGroups({ query: { subject: "CVE-2024-0002" } });
    assert.deepEqual(
      items.map(({ images, runningImages }) => [images, runningImages]),
      [[2, 1]],
    );
    assert.equal((await person.listFindings({ query: { kind: "secret", state: "open" } })).items.length, 2);
  });

  test("only with its secret a webhook is taken, and only one that says what was pushed", async () => {
    const hook = await person.newRegistryHook({ params: { id } });
    const at = (secret: string): string => `${server.url}/api/v1/registry-hooks/${id}/${secret}`;
    // The registry itself has tried the old address again and again, from the same machine.
    const refused = /^(?:401 unauthenticated|429 too-many)$/;
    assert.match(await refusal(post(at(token), { events: [] })), refused, "the old address still works");
    assert.match(await refusal(post(at("x".repeat(43)), { events: [] })), refused);
    assert.equal(await refusal(post(at(hook.token), { hello: "there" })), "400 invalid");
    assert.deepEqual(await (await post(at(hook.token), { events: [] })).json(), { queued: 0 });
  });

  test("its password goes to no other address, and nothing of it stays when it is removed", async () => {
    const moved = { ...settings, url: "https://127.0.0.1:1" };
    await assert.rejects(person.changeRegistry({ params: { id }, body: { settings: moved } }), /credentials/);
    const changed = await person.changeRegistry({ params: { id }, body: { settings: moved, credentials: null } });
    assert.equal(changed.hasCredentials, false);
    await person.removeRegistry({ params: { id } });
    assert.deepEqual((await person.listRegistries()).items, []);
    assert.deepEqual((await person.listScans({ query: { origin: "registry" } })).items, []);
    await assert.rejects(person.getRegistry({ params: { id } }), /no such registry/);
  });
});
