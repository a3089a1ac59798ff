import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { makeTar } from "@bulwark/testkit";
import { ImageError } from "../error.ts";
import { examineTree } from "../examine-tree.ts";
import { fakeRegistry, type FakeRegistry } from "./fake-registry.fixture.ts";
import { parseReference } from "./reference.ts";
import { openRegistry, openRegistryImage, type RegistryOptions } from "./registry.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-registry-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function registry(): Promise<FakeRegistry> {
  return fakeRegistry(makeTar(folder, { a: "1", big: randomBytes(300_000) }));
}

/** Paths in the image; what could not be read of it raises. */
async function paths(name: string, options?: RegistryOptions): Promise<string[]> {
  await using tree = await openRegistryImage(name, options);
  const { results, tree: facts } = await examineTree(tree, {
    paths: {
      name: "paths",
      limit: 1e9,
      wants: () => true,
      examine: ({ path }) => path,
      conclude: ({ facts }) => facts.map(({ fact }) => fact),
    },
  });
  assert.deepEqual(facts.faults, []);
  return results.paths;
}
const all = ["/a", "/big"];

test("an image is read by its tag and by its digest", async () => {
  await using server = await registry();
  assert.deepEqual(await paths(`${server.host}/shop/web:1`), all);
  assert.deepEqual(await paths(`${server.host}/shop/web@${server.digests.manifest}`), all);
});

test("a registry that wants a token is given one, by name and password or by identity token", async () => {
  await using server = await registry();
  const given: string[] = [];
  server.before = (request, response) => {
    if (request.url?.startsWith("/token") === true) {
      given.push(`${request.method ?? ""} ${request.headers.authorization ?? ""} ${request.url}`);
      response.end('{"token":"secret"}');
      return true;
    }
    if (request.headers.authorization === "Bearer secret") return false;
    const challenge = `Bearer realm="http://${server.host}/token",service="fake",scope="repository:shop/web:pull"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
    return true;
  };
  const credentials = { username: "me", password: "pass" };
  assert.deepEqual(await paths(`${server.host}/shop/web:1`, { credentials }), all);
  assert.deepEqual(await paths(`${server.host}/shop/web:1`, { credentials: { token: "identity" } }), all);
  assert.deepEqual(given, [
    `GET Basic ${Buffer.from("me:pass").toString("base64")} /token?service=fake&scope=repository%3Ashop%2Fweb%3Apull`,
    "POST  /token",
  ]);
});

test("a wrong password is said, with what to do", async () => {
  await using server = await registry();
  server.before = (_, response) => {
    response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    return true;
  };
  for (const options of [{}, { credentials: { username: "me", password: "wrong" } }]) {
    await assert.rejects(
      paths(`${server.host}/shop/web:1`, options),
      (error) => error instanceof ImageError && error.code === "denied" && /docker login/.test(error.remedy ?? ""),
    );
  }
});

test("where blobs are elsewhere, nobody there hears the token", async () => {
  await using server = await registry();
  await using elsewhere = await registry();
  const heard: (string | undefined)[] = [];
  elsewhere.before = (request, response) => {
    heard.push(request.headers.authorization);
    response.end(request.url?.includes(server.digests.layer) === true ? server.layer : "{}");
    return true;
  };
  server.before = (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return true;
    }
    if (request.url?.includes(server.digests.layer) !== true) return false;
    response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end();
    return true;
  };
  assert.deepEqual(
    await paths(`${server.host}/shop/web:1`, { credentials: { username: "me", password: "pass" } }),
    all,
  );
  assert.deepEqual(heard, [undefined]);
});

test("a registry that asks for patience is given it", async () => {
  await using server = await registry();
  let refused = 0;
  server.before = (_, response) => {
    if (refused++ > 1) return false;
    response.writeHead(429, { "retry-after": "0" }).end();
    return true;
  };
  assert.deepEqual(await paths(`${server.host}/shop/web:1`), all);
});

/** Sends so much of the layer, and cuts the line. */
function cutting(server: FakeRegistry, times: number, ranges: boolean) {
  let cuts = 0;
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.url?.endsWith(server.digests.layer) !== true || cuts >= times) return false;
    cuts++;
    const from = ranges ? Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0) : 0;
    response.writeHead(from > 0 ? 206 : 200, { "content-length": server.layer.length - from });
    response.write(server.layer.subarray(from, from + 100_000), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
}

test("a blob whose line breaks is read on from there, with ranges and without", async () => {
  for (const ranges of [true, false]) {
    await using server = await registry();
    server.before = cutting(server, 2, ranges);
    assert.deepEqual(await paths(`${server.host}/shop/web:1`), all);
    assert.equal(server.asked.filter((line) => line.endsWith(server.digests.layer)).length, 3);
  }
});

test("a mirror is asked first; what it has not, the registry has", async () => {
  await using server = await registry();
  await using mirror = await registry();
  const options = { mirrors: { [server.host]: [`http://${mirror.host}`] } };
  assert.deepEqual(await paths(`${server.host}/shop/web:1`, options), all);
  assert.deepEqual(server.asked, []);
  mirror.before = (_, response) => {
    response.writeHead(404).end();
    return true;
  };
  assert.deepEqual(await paths(`${server.host}/shop/web:1`, options), all);
});

test("an image that is not there is said so, in the registry's words", async () => {
  await using server = await registry();
  await assert.rejects(
    paths(`${server.host}/shop/web:2`),
    (error) => error instanceof ImageError && error.code === "not-found" && /manifest unknown/.test(error.message),
  );
});

test("referrers come from the API, else from the tag that stands for it", async () => {
  await using server = await registry();
  const reference = parseReference(`${server.host}/shop/web:1`);
  const digest = server.digests.manifest;
  const attached = { artifactType: "application/vnd.example", ...server.put({ is: "attached" }) };
  await using repository = await openRegistry(reference);
  assert.deepEqual(await repository.referrers(digest), []);
  for (const path of [`/referrers/${digest}`, `/manifests/${digest.replace(":", "-")}`]) {
    server.before = (request, response) => {
      if (request.url?.endsWith(path) !== true) return false;
      response.end(JSON.stringify({ schemaVersion: 2, manifests: [attached] }));
      return true;
    };
    const found = await repository.referrers(digest);
    assert.deepEqual(
      found.map(({ artifactType, digest: name, size }) => ({ artifactType, digest: name, size })),
      [attached],
    );
    assert.deepEqual(await repository.referrers(digest, "application/vnd.other"), []);
  }
});
