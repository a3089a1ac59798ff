import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { updateDatabase } from "@bulwark/advisory";
import { BulwarkError, type Report } from "@bulwark/model";
import { callCommand } from "../call.fixture.ts";
import { scanCommand } from "./scan.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-scan-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const database = join(folder, "advisories.db");
const root = join(folder, "root");

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

before(async () => {
  write("root/etc/os-release", 'ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="Alpine Linux v3.20"\n');
  write("root/lib/apk/db/installed", "P:curl\nV:8.8.0-r0\nA:x86_64\no:curl\n\nP:zlib\nV:1.3-r0\nA:x86_64\no:zlib\n\n");
  const secfixes = { "8.9.0-r0": ["CVE-2024-1111"], "8.8.1-r0": ["CVE-2024-2222"] };
  const mirror = dirname(
    dirname(
      dirname(
        write(
          "mirror/alpine/v3.20/main.json",
          JSON.stringify({ distroversion: "v3.20", packages: [{ pkg: { name: "curl", secfixes } }] }),
        ),
      ),
    ),
  );
  write(
    "mirror/cisa/known_exploited_vulnerabilities.json",
    JSON.stringify({ vulnerabilities: [{ cveID: "CVE-2024-2222", dateAdded: "2024-01-01" }] }),
  );
  await updateDatabase({ into: database, from: mirror });
});

const call = (...args: string[]): ReturnType<typeof callCommand> => callCommand(scanCommand, args);
const scan = (...args: string[]): ReturnType<typeof call> => call("fs", root, "--db", database, ...args);

test("a scan without a gate is done, whatever it found", async () => {
  const { code, out } = await scan();
  assert.equal(code, 0);
  assert.match(out, /CVE-2024-2222 +exploited/);
  assert.match(out, /2 vulnerabilities/);
});

test("a gate that is not met is exit code 1", async () => {
  assert.equal((await scan("--fail-on", "kev")).code, 1);
  assert.equal((await scan("--fail-on", "critical")).code, 0);
  assert.equal((await scan("--fail-on", "critical", "--fail-on", "fixable")).code, 1);
});

test("without a database the packages are told, and the scan is done in part", async () => {
  const { code, err, out } = await call("fs", root, "--db", join(folder, "none.db"));
  assert.equal(code, 3);
  assert.match(err, /run bulwark db update/);
  assert.match(out, /2 packages/);
  assert.doesNotMatch(out, /No vulnerabilities/);
});

test("a distribution that the database does not know is a scan in part, not a clean one", async () => {
  write("other/etc/os-release", "ID=alpine\nVERSION_ID=3.4.0\n");
  write("other/lib/apk/db/installed", "P:curl\nV:8.8.0-r0\nA:x86_64\no:curl\n\n");
  const { code, out } = await call("fs", join(folder, "other"), "--db", database);
  assert.equal(code, 3);
  assert.match(out, /1 packages: no advisories of/);
});

test("only what a report before did not know fails", async () => {
  const file = write("before.json", (await scan("--format", "json")).out);
  assert.equal((await scan("--fail-on", "any", "--new-since", file)).code, 0);
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  const older = { ...report, vulnerabilities: report.vulnerabilities?.slice(1) };
  const { code, out } = await scan("--fail-on", "any", "--new-since", write("older.json", JSON.stringify(older)));
  assert.equal(code, 1);
  assert.match(out, /1 are new\./);
});

test("exceptions are put up with, and what is wrong with them is said", async () => {
  const file = write(
    "exceptions.yaml",
    "exceptions:\n- {id: CVE-2024-2222, reason: not reachable, owner: web, expires: never}\n- {id: CVE-1999-1, reason: old, owner: web, expires: never}\n",
  );
  const { code, out } = await scan("--fail-on", "kev", "--exceptions", file);
  assert.equal(code, 0);
  assert.match(out, /1 more are decided upon/);
  assert.match(out.replaceAll(/\s+/g, " "), /the exception for CVE-1999-1 \(web\) fits nothing/);
});

test("a repository brings its own exceptions", async () => {
  const repo = join(folder, "repo");
  write("repo/.bulwark.yaml", "exceptions:\n- {id: x, reason: because, owner: web}\n");
  await assert.rejects(call("repo", repo, "--db", database), /\.bulwark\.yaml:2: exceptions\.0\.expires/);
});

test("further outputs go into files", async () => {
  const [sarif, html] = [join(folder, "x.sarif"), join(folder, "x.html")];
  await scan("--save", `sarif=${sarif}`, "--save", `html=${html}`);
  assert.equal((JSON.parse(readFileSync(sarif, "utf8")) as { version: string }).version, "2.1.0");
  assert.match(readFileSync(html, "utf8"), /<!doctype html>/);
});

test("what is wrong with a call is said before the work", async () => {
  for (const args of [
    [],
    ["image"],
    ["planet", "x"],
    ["fs", join(folder, "nothing")],
    ["fs", root, "--fail-on", "severe"],
    ["fs", root, "--format", "pdf"],
    ["fs", root, "--save", "sarif"],
    ["fs", root, "--new-since", join(folder, "nothing")],
    ["image", "ftp://nginx"],
    ["image", "registry://nginx", "--offline"],
    ["image", "nginx", "--mirror", "mirror.example"],
    ["fs", root, "--malware-hashes", join(folder, "nothing")],
    ["fs", root, "--clamd", "tcp://clamd.example:3310", "--offline"],
  ]) {
    await assert.rejects(call(...args), BulwarkError, args.join(" "));
  }
});

/** An OCI layout with the root of the other tests as its one layer, made by this step. */
function layoutBy(step: string): string {
  const layout = join(folder, "layout");
  const blob = (content: Buffer | string, mediaType: string): { mediaType: string; digest: string; size: number } => {
    const bytes = Buffer.from(content as string);
    const hex = createHash("sha256").update(bytes).digest("hex");
    mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
    writeFileSync(join(layout, "blobs/sha256", hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const type = (name: string): string => `application/vnd.oci.image.${name}`;
  const tar = spawnSync("tar", ["-C", root, "-cf", "-", "."]).stdout;
  const layer = blob(tar, type("layer.v1.tar"));
  const config = blob(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [layer.digest] },
      history: [{ created_by: step }],
    }),
    type("config.v1+json"),
  );
  const manifest = blob(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }), type("manifest.v1+json"));
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return layout;
}

test("a credential in a build step is in no part of the report", async () => {
  const token = ["sk", "live", "6AzDz3y9zYg8OefqzAH9Ut9KRhje5swk4JlSbpkYgRNGeMQM"].join("_");
  const image = layoutBy(`RUN curl -u ${token}: https://example.com/apk && apk add curl`);
  const { out } = await call("image", image, "--db", database, "--format", "json");
  const report = JSON.parse(out) as Report;
  assert.deepEqual(
    report.secrets?.map(({ kind }) => kind),
    ["stripe-secret-key"],
  );
  const steps = new Set(report.packages.map(({ step }) => step));
  assert.equal(steps.size, 1);
  assert.match([...steps][0] ?? "", /curl -u sk_l\*+\w{4}: https/);
  assert.ok(!out.includes(token));
});

test("files that are on a list of hashes are told with their layer, and another list is another answer", async () => {
  const image = layoutBy("COPY . /");
  const digest = createHash("md5")
    .update(readFileSync(join(root, "etc/os-release")))
    .digest("hex");
  const found = async (list: string): Promise<string[] | undefined> => {
    const { out } = await call("image", image, "--malware-hashes", write("list.txt", list), "--format", "json");
    const { malware, parts } = JSON.parse(out) as Report;
    assert.equal(parts.find(({ extractor }) => extractor === "hashes")?.state, "done");
    return malware?.map(({ location, title, layer }) => `${location} ${title} ${layer?.slice(0, 7) ?? ""}`);
  };
  assert.deepEqual(await found(`${digest}  dropper\n`), ["/etc/os-release dropper sha256:"]);
  assert.deepEqual(await found(`${"0".repeat(32)}  nothing\n`), []);
});
