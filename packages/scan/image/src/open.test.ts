import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { makeLayout, makeTar, missing, run } from "@bulwark/testkit";
import { parsePlatform } from "./content.ts";
import { dockerHosts, type DockerHost } from "./docker-host.ts";
import { openDockerImage } from "./docker.ts";
import { ImageError } from "./error.ts";
import { examineTree } from "./examine-tree.ts";
import type { FileTree } from "./image.ts";
import { openImage } from "./open.ts";
import { openRepository } from "./repository.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-open-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function paths(tree: FileTree): Promise<string[]> {
  const { results } = await examineTree(tree, {
    paths: {
      name: "paths",
      limit: 1e9,
      wants: () => true,
      examine: ({ path }) => path,
      conclude: ({ facts }) => facts.map(({ fact }) => fact),
    },
  });
  return results.paths;
}

function write(files: Record<string, string>): string {
  const root = mkdtempSync(join(folder, "root-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** Two images for two platforms, and an attestation, in one layout. */
function twoPlatforms(): string {
  const path = makeLayout(folder, [makeTar(folder, { amd: "" })], { os: "linux", architecture: "amd64" });
  const other = makeLayout(folder, [makeTar(folder, { arm: "" })], { os: "linux", architecture: "arm" });
  run("cp", ["-r", join(other, "blobs"), path]);
  const of = (layout: string): { digest: string; size: number } =>
    (JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: [{ digest: string; size: number }] })
      .manifests[0];
  const manifests = [
    { ...of(path), platform: { os: "linux", architecture: "amd64" } },
    { ...of(other), platform: { os: "linux", architecture: "arm", variant: "v7" } },
    { ...of(other), platform: { os: "unknown", architecture: "unknown" } },
  ];
  writeFileSync(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return path;
}

test("an index has an image for each platform; one that is not there is said with those that are", async () => {
  const path = twoPlatforms();
  for (const [platform, expected] of [
    ["linux/amd64", "/amd"],
    ["linux/arm/v7", "/arm"],
  ] as const) {
    await using tree = await openImage(path, { platform: parsePlatform(platform) });
    assert.deepEqual(await paths(tree), [expected]);
  }
  await assert.rejects(
    openImage(path, { platform: parsePlatform("linux/s390x") }),
    (error) => error instanceof ImageError && /there is linux\/amd64, linux\/arm\/v7/.test(error.message),
  );
  assert.throws(() => parsePlatform("windows"), ImageError);
});

test("a layout in a tar archive is the same image as the layout", async () => {
  const path = makeLayout(folder, [makeTar(folder, { a: "1" })]);
  run("tar", ["-C", path, "-cf", `${path}.tar`, "."]);
  await using tree = await openImage(`${path}.tar`);
  await using layout = await openImage(path);
  assert.equal(tree.digest, layout.digest);
  assert.deepEqual(await paths(tree), ["/a"]);
});

test("Docker's daemon sends an image, which leaves nothing behind", async () => {
  const path = makeLayout(folder, [makeTar(folder, { a: "1" })]);
  run("tar", ["-C", path, "-cf", `${path}.tar`, "."]);
  const socket = join(folder, "docker.sock");
  const server = createServer((request, response) => {
    if (request.url === "/images/web%3A1/json") response.end("{}");
    else if (request.url === "/images/web%3A1/get") createReadStream(`${path}.tar`).pipe(response);
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("bulwark-image-"));
  try {
    const before = left().length;
    {
      await using tree = await openDockerImage(socket, "web:1");
      assert.deepEqual(tree && (await paths(tree)), ["/a"]);
    }
    assert.equal(left().length, before);
    assert.equal(await openDockerImage(socket, "other:1"), undefined);
  } finally {
    server.close();
  }
});

test("a daemon elsewhere is asked as Docker asks it", { skip: missing("openssl") }, async () => {
  const path = makeLayout(folder, [makeTar(folder, { a: "1" })]);
  run("tar", ["-C", path, "-cf", `${path}.tar`, "."]);
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  run("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert]);
  copyFileSync(cert, join(folder, "ca.pem"));
  const pem = { cert: readFileSync(cert), key: readFileSync(key) };
  const seen: boolean[] = [];
  const server = createSecureServer({ ...pem, ca: pem.cert, requestCert: true }, (request, response) => {
    seen.push((request.socket as TLSSocket).authorized);
    if (request.url?.endsWith("/json") === true) response.end("{}");
    else createReadStream(`${path}.tar`).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const address = `tcp://127.0.0.1:${port}`;
  const only = (environment: NodeJS.ProcessEnv): DockerHost => {
    const [host, ...more] = dockerHosts({ HOME: folder, ...environment });
    assert.ok(host && more.length === 0);
    return host;
  };
  try {
    for (const environment of [
      { DOCKER_HOST: address, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder },
      { DOCKER_CONTEXT: "far", DOCKER_CONFIG: contextOf("far", address) },
    ]) {
      await using tree = await openDockerImage(only(environment), "web:1");
      assert.deepEqual(tree && (await paths(tree)), ["/a"]);
    }
    assert.deepEqual(seen, [true, true, true, true]);
    // Without an authority that it could be verified with.
    rmSync(join(folder, "ca.pem"));
    await assert.rejects(
      openDockerImage(only({ DOCKER_HOST: address, DOCKER_CERT_PATH: folder }), "web:1"),
      /self-signed certificate/,
    );
  } finally {
    server.close();
  }
  assert.deepEqual(only({ DOCKER_HOST: "tcp://build" }).reach, { host: "build", port: 2375, tls: undefined });
  assert.deepEqual(only({ DOCKER_HOST: "unix:///x/docker.sock" }).reach, { socketPath: "/x/docker.sock" });
  assert.throws(() => dockerHosts({ DOCKER_HOST: "ssh://build" }), /no address of a daemon that can be asked/);
  assert.throws(() => dockerHosts({ DOCKER_CONTEXT: "none", HOME: folder }), /context none has no address/);
});

/** Docker's configuration folder with a context, and the certificates of the test. */
function contextOf(name: string, address: string): string {
  const id = createHash("sha256").update(name).digest("hex");
  const [meta, tls] = [join(folder, "config/contexts/meta", id), join(folder, "config/contexts/tls", id, "docker")];
  mkdirSync(meta, { recursive: true });
  mkdirSync(tls, { recursive: true });
  writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: name, Endpoints: { docker: { Host: address } } }));
  for (const file of ["ca.pem", "cert.pem", "key.pem"]) copyFileSync(join(folder, file), join(tls, file));
  return join(folder, "config");
}

test("stores of this machine are asked before the registry, and what they said is told when nobody has the image", async () => {
  const layout = makeLayout(folder, [makeTar(folder, { a: "1" })]);
  const having = { name: "mine", find: async () => openImage(layout) };
  await using tree = await openImage("web:1", { stores: [having] });
  assert.deepEqual([tree.name, await paths(tree)], ["web:1", ["/a"]]);
  const lacking = { name: "mine", find: async () => undefined };
  await assert.rejects(openImage("127.0.0.1:1/web:1", { stores: [lacking] }), /mine has none of that name/);
  await assert.rejects(openImage("web:1", { stores: [lacking], from: "mine" }), /mine has none of that name/);
  await assert.rejects(openImage("web:1", { from: "elsewhere" }), /no such place/);
  await assert.rejects(openImage("./web.tar"), /is not there/);
});

test("of a repository what git leaves out is left out, and the commit is known", async () => {
  const root = write({
    ".gitignore": "*.log\n/build/\nnode_modules\n",
    "a.log": "",
    "src/b.ts": "",
    "src/.gitignore": "!keep.log\nlocal.*\n",
    "src/keep.log": "",
    "src/local.env": "",
    "src/build/c": "",
    "build/d": "",
    "web/node_modules/e": "",
    "local.env": "",
  });
  run("git", ["-C", root, "init", "--quiet", "--initial-branch", "main"]);
  writeFileSync(join(root, ".git/info/exclude"), "/local.env\n");
  run("git", ["-C", root, "add", "."]);
  run("git", ["-C", root, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"]);
  await using tree = await openRepository(root);
  const listed = run("git", ["-C", root, "ls-files"])
    .split("\n")
    .filter((line) => line !== "");
  assert.deepEqual(await paths(tree), listed.map((name) => `/${name}`).toSorted());
  assert.equal(tree.commit, run("git", ["-C", root, "rev-parse", "HEAD"]).trim());
  run("git", ["-C", root, "pack-refs", "--all"]);
  assert.equal((await openRepository(root)).commit, tree.commit);
  run("git", ["-C", root, "worktree", "add", "--quiet", "-b", "other", `${root}-other`]);
  assert.equal((await openRepository(`${root}-other`)).commit, tree.commit);
});
