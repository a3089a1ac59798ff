/** Where images and files may be: a registry with its own authority, containerd, a running container, a host; and clamd. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, before, test } from "node:test";
import {
  debianArchive,
  eventually,
  freePort,
  makeImage,
  makeLayout,
  makeRootfs,
  makeTar,
  missing,
  run,
  startContainerd,
  startDaemon,
  type Daemon,
  type TestContainerd,
} from "@bulwark/testkit";
import { listed, scannerIn, troubles } from "./scan-call.ts";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bulwark-e2e-places-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const lodash = { "app/node_modules/lodash/package.json": '{"name":"lodash","version":"4.17.4"}' };

describe("a registry with its own authority, that asks who it is", () => {
  const skip = missing("registry", "skopeo", "openssl");
  const [certificate, key] = [join(folder, "ca.pem"), join(folder, "ca.key")];
  const login = join(folder, "docker");
  const { scan, refused } = scannerIn(folder, { DOCKER_CONFIG: login, REGISTRY_AUTH_FILE: "", HOME: folder });
  let registry: Daemon | undefined;
  let address = "";

  before(async () => {
    if (skip !== false) return;
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    run("openssl", ["req", "-x509", ...curve, ...name, "-keyout", key, "-out", certificate]);
    // bcrypt of "secret": all that docker-registry takes.
    const password = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    writeFileSync(join(folder, "htpasswd"), `scanner:${password}\n`);
    address = `localhost:${await freePort()}`;
    writeFileSync(
      join(folder, "registry.yml"),
      `version: 0.1
storage: { filesystem: { rootdirectory: ${folder}/blobs } }
auth: { htpasswd: { realm: test, path: ${folder}/htpasswd } }
http: { addr: "${address}", tls: { certificate: ${certificate}, key: ${key} } }
`,
    );
    registry = startDaemon("docker-registry", ["serve", join(folder, "registry.yml")]);
    const layout = makeLayout(folder, [makeTar(folder, lodash)], { architecture: "amd64", os: "linux" });
    const to = ["--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "scanner:secret"];
    const push = (repository: string): string =>
      run("skopeo", [...to, `oci:${layout}`, `docker://${address}/${repository}:1`]);
    await eventually("the registry takes an image", () => push("shop/web"), 60_000);
    push("library/web");
    mkdirSync(login);
  });
  after(async () => registry?.stop());
  const knowing = (file: object): void => writeFileSync(join(login, "config.json"), JSON.stringify(file));

  test("--ca and what docker login wrote open it", { skip }, async () => {
    const auth = Buffer.from("scanner:secret").toString("base64");
    knowing({ auths: { [address]: { auth } } });
    const { report } = await scan("image", `registry://${address}/shop/web:1`, "--ca", certificate);
    assert.deepEqual(listed(report, "npm"), ["lodash 4.17.4"]);
    assert.match(report.target.digest ?? "", /^sha256:/);
    const untrusted = await refused("image", `registry://${address}/shop/web:1`, "--ca", key);
    assert.deepEqual([untrusted.code, untrusted.err.trim().split("\n").length], [2, 1]);
    assert.match(untrusted.err, /name that with --ca FILE/);
  });

  test("a mirror answers for Docker Hub; a wrong password is said", { skip }, async () => {
    const mirror = ["--mirror", `https://${address}`, "--ca", certificate];
    const { report } = await scan("image", "registry://web:1", ...mirror);
    assert.deepEqual([report.target.name, listed(report, "npm")], ["web:1", ["lodash 4.17.4"]]);
    knowing({ auths: { [address]: { auth: Buffer.from("scanner:wrong").toString("base64") } } });
    const { code, err } = await refused("image", `registry://${address}/shop/web:1`, "--ca", certificate);
    assert.equal(code, 2);
    assert.match(err, /authentication required \(status 401\)/);
  });
});

describe("containerd", () => {
  const skip = missing("root", "containerd", "runc", "busybox");
  let containerd: TestContainerd | undefined;
  before(async () => {
    if (skip === false) containerd = await startContainerd();
  });
  after(async () => containerd?.[Symbol.asyncDispose]());
  const opened = (): TestContainerd => {
    assert.ok(containerd);
    return containerd;
  };

  test("an image by its name, of whichever namespace; two of one name are told apart", { skip }, async () => {
    const { socket, namespace, image } = opened();
    const { scan, refused } = scannerIn(folder, { CONTAINERD_ADDRESS: socket });
    const { report } = await scan("image", `containerd://${image.name}`);
    assert.equal(report.target.digest, image.digest);
    assert.deepEqual(listed(report, "apk"), ["busybox 1.30.1-r1", "musl 1.1.22-r3"]);
    assert.deepEqual(troubles(report), []);
    const plain = await scan("image", image.name, "--offline");
    assert.equal(plain.report.target.digest, image.digest);

    makeRootfs(join(folder, "other"));
    for (const [path, text] of Object.entries(lodash)) {
      mkdirSync(join(folder, "other", path, ".."), { recursive: true });
      writeFileSync(join(folder, "other", path), text);
    }
    mkdirSync(join(folder, "other-image"));
    const other = makeImage(image.name, join(folder, "other"), join(folder, "other-image"));
    run("ctr", ["--address", socket, "--namespace", `${namespace}-2`, "images", "import", other.archive]);
    const ambiguous = await refused("image", `containerd://${image.name}`);
    assert.deepEqual([ambiguous.code, /CONTAINERD_NAMESPACE/.test(ambiguous.err)], [2, true], ambiguous.err);
    const named = scannerIn(folder, { CONTAINERD_ADDRESS: socket, CONTAINERD_NAMESPACE: `${namespace}-2` });
    assert.deepEqual(listed((await named.scan("image", `containerd://${image.name}`)).report, "npm"), [
      "lodash 4.17.4",
    ]);
    assert.match((await refused("image", "containerd://nothing:1")).err, /containerd has none of that name/);
  });

  test("a running container: what its image brought, and what came at run time", { skip }, async () => {
    const { socket, image, run: start } = opened();
    const { scan, refused } = scannerIn(folder, { CONTAINERD_ADDRESS: socket });
    const container = start({ id: `scanned-${process.pid}` });
    try {
      const place = "/srv/node_modules/lodash";
      container.exec(
        "sh",
        "-c",
        `mkdir -p ${place} && echo '{"name":"lodash","version":"4.17.4"}' > ${place}/package.json`,
      );
      const { report } = await scan("container", container.id.slice(0, -1));
      assert.deepEqual([report.target.kind, report.target.digest], ["container", image.digest]);
      assert.deepEqual(
        report.packages
          .filter(({ type }) => type === "apk" || type === "npm")
          .map(({ name, origin, layer }) => [name, origin, layer !== null]),
        [
          ["busybox", null, true],
          ["musl", null, true],
          ["lodash", "container", false],
        ],
      );
      assert.deepEqual(troubles(report), []);
      assert.ok(report.checks !== null && report.checks.length > 0);
      const unknown = await refused("container", "nobody");
      assert.deepEqual([unknown.code, unknown.err.includes(container.id)], [2, true], unknown.err);
    } finally {
      container.stop();
    }
  });

  test("an image of a containerd that has ended, by its folder alone", { skip }, async () => {
    const { socket, image, importImage, down } = opened();
    const { name, digest } = importImage("registry.example/bulwark/ended:1", join(socket, "../busybox"));
    await down();
    const { scan, refused } = scannerIn(folder);
    const place = ["--containerd-root", join(socket, "../root")];
    const { report } = await scan("image", name, ...place);
    assert.deepEqual([report.target.digest, listed(report, "apk")], [digest, ["busybox 1.30.1-r1", "musl 1.1.22-r3"]]);
    assert.match((await refused("image", "nothing:1", ...place)).err, new RegExp(`it has .*${image.name}`));
  });
});

test("a clamd of Debian looks at every file of an image", { skip: missing("clamd") }, async () => {
  const { scan } = scannerIn(folder);
  const [database, socket] = [join(folder, "signatures"), join(folder, "clamd.sock")];
  mkdirSync(database);
  const evil = "harmless, but on the list of this test\n";
  // An extended signature of ClamAV: name, any kind of file, anywhere, the bytes.
  writeFileSync(join(database, "test.ndb"), `Test.Evil:0:*:${Buffer.from(evil).toString("hex")}\n`);
  const config = join(folder, "clamd.conf");
  const lines = [`LocalSocket ${socket}`, `DatabaseDirectory ${database}`, "Foreground true", "StreamMaxLength 1M"];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const clamd = startDaemon("clamd", ["--config-file", config]);
  try {
    const files = { "opt/evil": evil, "opt/fine": "fine", "opt/large": Buffer.alloc(2_000_000, 7) };
    const image = makeLayout(folder, [makeTar(folder, files)]);
    const look = async (): ReturnType<typeof scan> => scan("image", image, "--clamd", socket, "--offline");
    const { report } = await eventually(
      "clamd answers",
      async () => {
        const found = await look();
        return found.report.parts.some(({ extractor, state }) => extractor === "clamd" && state === "failed")
          ? undefined
          : found;
      },
      60_000,
    );
    assert.deepEqual(
      report.malware?.map(({ location, rule, engine }) => [location, rule, engine]),
      [["/opt/evil", "Test.Evil.UNOFFICIAL", "clamd"]],
      clamd.output(),
    );
    assert.match(troubles(report).join(), /^clamd: \/opt\/large: clamd did not look at it: /);
    await clamd.stop();
    const after = await look();
    assert.deepEqual([after.code, after.report.malware], [3, null]);
    assert.match(troubles(after.report).join(), /^clamd: .*clamd\.sock/);
  } finally {
    await clamd.stop();
  }
});

test(
  "a host, without what is mounted and without its containers",
  { skip: missing("root", "mmdebstrap") },
  async () => {
    const host = join(folder, "host");
    mkdirSync(join(host, "opt/bulwark"), { recursive: true });
    run("tar", ["-C", host, "-xf", debianArchive("bookworm")]);
    // What Node needs beyond the essential packages.
    const library = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
    copyFileSync(library, join(host, library));
    mkdirSync(join(host, "var/lib/docker/overlay2/x/diff/node_modules/lodash"), { recursive: true });
    for (const place of ["var/lib/docker/overlay2/x/diff", "srv"])
      for (const [path, text] of Object.entries(lodash)) {
        const file = join(host, place, path.replace("4.17.4", place === "srv" ? "4.17.21" : "4.17.4"));
        mkdirSync(join(file, ".."), { recursive: true });
        writeFileSync(file, text.replace("4.17.4", place === "srv" ? "4.17.21" : "4.17.4"));
      }
    // In a mount namespace of its own; this checkout is an overlay there, which is no disk of the machine.
    mkdirSync(join(folder, "nothing"));
    const script = [
      `mount -t overlay overlay -o lowerdir=${join(folder, "nothing")}:${root} ${host}/opt/bulwark`,
      `mount -t proc proc ${host}/proc`,
      `exec chroot ${host} /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin /opt/bulwark/bin/bulwark scan host --format json --db /no.db`,
    ];
    const answer = join(folder, "host.json");
    run("unshare", ["--mount", "sh", "-c", `(${script.join(" && ")}) > ${answer}; test $? = 3`], { timeout: 280_000 });
    const { packages, os, target } = JSON.parse(readFileSync(answer, "utf8")) as Awaited<
      ReturnType<ReturnType<typeof scannerIn>["scan"]>
    >["report"];
    const status = join(host, "var/lib/dpkg");
    const told = run("dpkg-query", ["--admindir", status, "-W", "-f", "${Package} ${Version}\n"]).trim().split("\n");
    const found = packages.filter(({ type }) => type === "deb").map(({ name, version }) => `${name} ${version}`);
    assert.deepEqual([...new Set(found)].toSorted(), [...new Set(told)].toSorted());
    assert.deepEqual([target.kind, os?.version], ["host", "12"]);
    assert.deepEqual(
      packages.filter(({ type }) => type === "npm").map(({ name, version }) => `${name} ${version}`),
      ["lodash 4.17.21"],
    );
  },
);
