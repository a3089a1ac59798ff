import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { test, type TestContext } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { dockerfileCommand } from "./dockerfile.ts";

async function call(...args: string[]): Promise<{ code: number; out: string }> {
  let out = "";
  const into = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out += chunk.toString();
      done();
    },
  });
  const code = await dockerfileCommand.run(args, { stdout: into, stderr: into });
  return { code, out: stripVTControlCharacters(out) };
}

function folder(context: TestContext, files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "bulwark-dockerfile-"));
  context.after(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const good = `FROM debian:13@sha256:${"ab".repeat(32)}\nUSER 10001\nHEALTHCHECK CMD ["/app", "--well"]\nENTRYPOINT ["/app"]\n`;

test("a careful file passes; a careless one fails with line, check and remedy", async (context) => {
  const path = folder(context, { Dockerfile: good, "web/Dockerfile": "FROM debian\nENV TOKEN=hunter2\n" });
  assert.equal((await call(join(path, "Dockerfile"))).code, 0);
  const { code, out } = await call(path);
  assert.equal(code, 1);
  assert.match(out, /critical +line 2: ENV TOKEN is given a value\n +dockerfile-secret-variable: /);
  assert.doesNotMatch(out, /hunter2/);
});

test("the gate and what is skipped decide the exit code", async (context) => {
  const path = folder(context, { Dockerfile: good.replace(/@sha256:\w+/, "") });
  assert.equal((await call(path)).code, 1);
  assert.equal((await call(path, "--fail-on", "medium")).code, 0);
  assert.equal((await call(path, "--skip", "dockerfile-unpinned-base")).code, 0);
});

test("what is not understood is said, and is not clean", async (context) => {
  const path = folder(context, { Dockerfile: `${good}FORM debian\n` });
  const { code, out } = await call(path);
  assert.equal(code, 3);
  assert.match(out, /line 5: not understood: no instruction: FORM/);
  await assert.rejects(call(join(path, "nowhere")), /nowhere/);
});

test("for programs, everything", async (context) => {
  const { out } = await call(folder(context, { Dockerfile: good }), "--format", "json");
  const [one] = JSON.parse(out) as [{ results: { state: string }[] }];
  assert.ok(
    one.results.length > 20 && one.results.every(({ state }) => state === "pass" || state === "not-applicable"),
  );
});
