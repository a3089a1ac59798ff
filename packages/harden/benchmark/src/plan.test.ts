import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  applyPlan,
  chosen,
  collectHost,
  evaluateBenchmark,
  listBackups,
  loadLibrary,
  makePlan,
  needsOf,
  undoPlan,
} from "./index.ts";

const library = loadLibrary();
const choice = {};
const checks = chosen(library, "host", choice);
const now = Date.UTC(2026, 0, 2);

/** A Debian in a folder, with what a plan can mend. */
function hostOf(context: TestContext): { root: string; backups: string; text: (path: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-harden-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const root = join(folder, "root");
  const files: Record<string, string> = {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "etc/login.defs": "# ages\nPASS_MAX_DAYS\t99999\nUMASK\t022\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/crontab": "17 * * * * root true\n",
    "proc/1/stat": "1",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "proc/sys/kernel/randomize_va_space": "0\n",
    "lib/modules/6.1.0/modules.dep": "kernel/fs/cramfs/cramfs.ko:\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  chmodSync(join(root, "etc/crontab"), 0o666);
  return { root, backups: join(folder, "backups"), text: (path) => readFileSync(join(root, path), "utf8") };
}

function planOf(root: string) {
  const facts = collectHost({ root, needs: needsOf(checks) });
  const { results } = evaluateBenchmark(library, { kind: "host", name: "a" }, facts, choice);
  return { plan: makePlan(root, checks, results), results };
}

function failingOf(root: string): Set<string> {
  return new Set(
    planOf(root)
      .results.filter(({ state }) => state === "fail")
      .map(({ check }) => check),
  );
}

test("a plan shows what it would do and changes nothing", (context) => {
  const { root, text } = hostOf(context);
  const { plan } = planOf(root);
  const write = plan.changes.find(({ path }) => path === "/etc/login.defs");
  assert.ok(write?.kind === "write");
  assert.match(write.after, /^# ages\nPASS_MAX_DAYS\t365\nUMASK\t027$/m);
  assert.ok(["default-umask", "password-max-days"].every((id) => write.checks.includes(id)));
  assert.match(text("etc/login.defs"), /99999/);
  assert.ok(!existsSync(join(root, "etc/sysctl.d")));
});

test("carried out, the checks hold where files alone decide; taken back, every file is as it was", (context) => {
  const { root, backups, text } = hostOf(context);
  const before = failingOf(root);
  const login = text("etc/login.defs");
  const name = applyPlan(root, planOf(root).plan, backups, now);
  assert.match(text("etc/sysctl.d/60-bulwark.conf"), /^kernel\.randomize_va_space = 2$/m);
  assert.match(text("etc/modprobe.d/bulwark.conf"), /^install cramfs \/bin\/false\nblacklist cramfs$/m);
  assert.equal(statSync(join(root, "etc/crontab")).mode & 0o7777, 0o600);
  const after = failingOf(root);
  for (const check of ["module-cramfs", "file-crontab", "password-max-days", "default-umask"]) {
    assert.ok(before.has(check) && !after.has(check), check);
  }
  assert.deepEqual(listBackups(backups), [name]);
  const { left } = undoPlan(root, backups, name);
  assert.deepEqual(left, []);
  assert.equal(text("etc/login.defs"), login);
  assert.ok(!existsSync(join(root, "etc/sysctl.d/60-bulwark.conf")));
  assert.equal(statSync(join(root, "etc/crontab")).mode & 0o7777, 0o666);
  assert.deepEqual(listBackups(backups), []);
});

test("what somebody changed since is not taken back, and is named", (context) => {
  const { root, backups, text } = hostOf(context);
  const name = applyPlan(root, planOf(root).plan, backups, now);
  writeFileSync(join(root, "etc/login.defs"), "PASS_MAX_DAYS 90\n");
  const { left, undone } = undoPlan(root, backups, name);
  assert.deepEqual(left, ["/etc/login.defs"]);
  assert.ok(undone.includes("/etc/crontab"));
  assert.equal(text("etc/login.defs"), "PASS_MAX_DAYS 90\n");
  assert.deepEqual(listBackups(backups), [name], "the backup stays while something is left");
});

test("a host that changed since the plan was made is left alone", (context) => {
  const { root, backups, text } = hostOf(context);
  const { plan } = planOf(root);
  writeFileSync(join(root, "etc/login.defs"), "PASS_MAX_DAYS 90\n");
  assert.throws(() => applyPlan(root, plan, backups, now), /not as it was/);
  assert.equal(text("etc/login.defs"), "PASS_MAX_DAYS 90\n");
  assert.ok(!existsSync(join(root, "etc/sysctl.d")));
});

test("a change that fails takes back those before it; links lead nowhere", (context) => {
  const { root, backups } = hostOf(context);
  const outside = join(root, "../outside");
  mkdirSync(outside);
  symlinkSync(outside, join(root, "etc/modprobe.d"));
  assert.throws(() => applyPlan(root, planOf(root).plan, backups, now), /is a link/);
  assert.ok(!existsSync(join(outside, "bulwark.conf")));
  assert.ok(!existsSync(join(root, "etc/sysctl.d/60-bulwark.conf")), "what was done before is taken back");
  assert.equal(statSync(join(root, "etc/crontab")).mode & 0o7777, 0o666);
  assert.deepEqual(listBackups(backups), []);
});
