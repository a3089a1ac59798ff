import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { updateDatabase } from "@bulwark/advisory";
import { makeLayout, makeTar } from "@bulwark/testkit";
import { callCommand } from "../call.fixture.ts";
import { scanCommand } from "./scan.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-scan-again-"));
after(() => rmSync(folder, { recursive: true, force: true }));
// A cache of its own, and no exceptions of the folder that the tests run in but those of the test.
process.env["XDG_CACHE_HOME"] = join(folder, "cache");
process.chdir(folder);

/** Writes the address of every module that is loaded into a file. */
const listLoaded = `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from "node:fs";
  import { registerHooks } from "node:module";
  registerHooks({ load(url, context, next) { appendFileSync(process.env.LOADED, url + "\\n"); return next(url, context); } });
`)}`;

test("an image that is known is told of in a moment: no schemas, analyzers, advisories, threads are loaded, and all is as before", async () => {
  const exception = "id: CVE-2024-1111\n    reason: put up with\n    owner: me\n    expires: never\n";
  writeFileSync(join(folder, ".bulwark.yaml"), `exceptions:\n  - ${exception}`);
  const list = { packages: [{ pkg: { name: "curl", secfixes: { "8.9.0-r0": ["CVE-2024-1111"] } } }] };
  mkdirSync(join(folder, "mirror/alpine/v3.20"), { recursive: true });
  writeFileSync(join(folder, "mirror/alpine/v3.20/main.json"), JSON.stringify({ distroversion: "v3.20", ...list }));
  await updateDatabase({ into: join(folder, "advisories.db"), from: join(folder, "mirror") });
  const files = {
    "etc/os-release": "ID=alpine\nVERSION_ID=3.20.3\n",
    "lib/apk/db/installed": "P:curl\nV:8.8.0-r0\nA:x86_64\no:curl\n\n",
    "app/.env": `AWS_ACCESS_KEY_ID=AKIA${"Q3XJ7KPL".repeat(2)}\n`,
  };
  const image = makeLayout(folder, [makeTar(folder, files)]);
  const words = ["image", image, "--offline", "--db", join(folder, "advisories.db"), "--format", "json"];
  const first = await callCommand(scanCommand, words);
  assert.match(first.out, /CVE-2024-1111[^]*put up with[^]*aws-access-key/);

  const main = join(import.meta.dirname, "../main.ts");
  const loaded = join(folder, "loaded");
  const again = spawnSync(process.execPath, ["--import", listLoaded, main, "scan", ...words], {
    env: { ...process.env, LOADED: loaded },
    encoding: "utf8",
  });
  const withoutTime = (text: string): string => text.replace(/"createdAt": ".*"/, "");
  assert.equal(withoutTime(again.stdout), withoutTime(first.out), again.stderr);
  const modules = readFileSync(loaded, "utf8").split("\n");
  assert.ok(modules.some((url) => url.endsWith("/commands/scan.ts")));
  const heavy =
    /\/node_modules\/(?!@bulwark)|\/threads\.ts$|\/analyzers\.ts$|\/registry\/registry\.ts$|\/advisory\/src\//;
  assert.deepEqual(
    modules.filter((url) => heavy.test(url)),
    [],
  );
  assert.ok(modules.filter((url) => url.startsWith("file:")).length < 80, `${modules.length} modules`);
});
