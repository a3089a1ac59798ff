import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ImageError } from "../error.ts";
import { findCredentials } from "./credentials.ts";

let folder = "";
const path = process.env["PATH"];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-credentials-"))));
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true, force: true });
});

async function find(document: unknown, registry: string, repository = "a/b"): ReturnType<typeof findCredentials> {
  writeFileSync(join(folder, "config.json"), typeof document === "string" ? document : JSON.stringify(document));
  return findCredentials(registry, repository, { DOCKER_CONFIG: folder });
}

function helper(name: string, script: string): void {
  writeFileSync(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, `docker-credential-${name}`), 0o755);
  process.env["PATH"] = `${folder}:${path ?? ""}`;
}

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString("base64") });

test("what docker login wrote is found, Docker Hub under its name of old", async () => {
  const auths = { "https://index.docker.io/v1/": auth("hub:a:b"), "reg.example:5000": { identitytoken: "token" } };
  assert.deepEqual(await find({ auths }, "docker.io"), { username: "hub", password: "a:b" });
  assert.deepEqual(await find({ auths }, "reg.example:5000"), { token: "token" });
  assert.equal(await find({ auths }, "other.example"), undefined);
});

test("the nearest entry of Podman's file wins", async () => {
  const auths = { "reg.example": auth("all:1"), "reg.example/a": auth("some:2") };
  assert.deepEqual(await find({ auths }, "reg.example", "a/b"), { username: "some", password: "2" });
  assert.deepEqual(await find({ auths }, "reg.example", "c/d"), { username: "all", password: "1" });
});

test("a credential helper is asked, and may know nothing", async () => {
  helper("test", 'read server; echo "{\\"Username\\":\\"$server\\",\\"Secret\\":\\"s\\"}"');
  const document = { credHelpers: { "reg.example": "test" }, credsStore: "none" };
  assert.deepEqual(await find(document, "reg.example"), { username: "reg.example", password: "s" });
  helper("none", "echo 'credentials not found in native keychain'; exit 1");
  assert.equal(await find(document, "docker.io"), undefined);
  helper("test", 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"s\\"}"');
  assert.deepEqual(await find(document, "reg.example"), { token: "s" });
});

test("a helper that fails and a file that is broken are said, without a secret", async () => {
  helper("bad", 'echo \'{"Secret":"hush"}\'');
  for (const document of [
    { credsStore: "bad" },
    { credsStore: "absent" },
    { credsStore: "../x" },
    "{",
    { auths: { r: auth("x") } },
  ]) {
    await assert.rejects(
      find(document, "r"),
      (error) => error instanceof ImageError && !/hush/.test(error.message + (error.remedy ?? "")),
    );
  }
});
