import assert from "node:assert/strict";
import { test } from "node:test";
import { loadRules, openRules } from "@bulwark/rules";
import { needsOf } from "./served.ts";

/** What rules of these conditions need; the first letter of the alphabet is the first rule. */
function needs(...conditions: string[]) {
  const text = conditions.map((condition, index) =>
    [
      `- rule: ${"abcdefgh"[index]}`,
      "  desc: x",
      `  condition: ${condition}`,
      "  output: x",
      "  priority: NOTICE",
    ].join("\n"),
  );
  const { ruleset, errors } = loadRules([{ name: "x.yaml", text: text.join("\n") }]);
  assert.deepEqual(errors, []);
  const { asks, traced, unserved } = needsOf(ruleset.rules);
  return [asks.calls.join(" "), traced.map(({ name }) => name).join(""), unserved.map(({ name }) => name).join("")];
}

test("a rule for calls that ask for no right needs them traced", () => {
  assert.deepEqual(needs("evt.type in (dup, dup3)", "evt.type = execve"), ["dup dup3", "a", ""]);
  assert.deepEqual(needs("evt.type = symlinkat or evt.type = dup2"), ["dup2 symlinkat", "a", ""]);
});

test("one that fires on what is told anyway needs nothing, nor one of any event", () => {
  assert.deepEqual(needs("evt.type in (mount, dup)", "proc.name = nc", "evt.type != dup"), ["", "", ""]);
});

test("how a file was opened is traced, where a rule asks for it and not where it asks for the contrary", () => {
  const open = "evt.type in (open, openat, openat2, execve)";
  const traced = "open openat openat2";
  assert.deepEqual(needs(`${open} and evt.arg.flags contains O_TRUNC`), [traced, "a", ""]);
  assert.deepEqual(needs(`${open} and fd.nameraw glob "*../*"`, `evt.type = openat and fd.num = -1`), [
    traced,
    "ab",
    "",
  ]);
  assert.deepEqual(needs(`${open} and (proc.name = x or evt.res = EACCES)`), [traced, "a", ""]);
  assert.deepEqual(
    needs(
      `${open} and evt.arg.flags contains O_CREAT and fd.num >= 0`,
      `${open} and not evt.failed = true and evt.res = SUCCESS`,
      `${open} and fd.nameraw startswith /proc/`,
      "evt.type = execve and evt.failed = true",
    ),
    ["", "", ""],
  );
});

test("of ptrace(2) only what asks for a right is told anyway", () => {
  assert.deepEqual(needs("evt.type = ptrace and evt.arg.request contains PTRACE_TRACEME"), ["ptrace", "a", ""]);
});

test("of the environment the variables are asked for that rules name, wherever they do", () => {
  const environment = (condition: string, output = "x"): readonly string[] => {
    const rule = `- rule: a\n  desc: x\n  condition: ${condition}\n  output: "${output}"\n  priority: NOTICE`;
    return needsOf(loadRules([{ name: "x.yaml", text: rule }]).ruleset.rules).asks.environment;
  };
  assert.deepEqual(environment("evt.type = execve and not proc.env[LD_PRELOAD] = x", "%proc.env[HOME]"), [
    "HOME",
    "LD_PRELOAD",
  ]);
  assert.deepEqual(environment("evt.type = execve and tolower(proc.env[A]) = val(proc.env[B])"), ["A", "B"]);
  assert.deepEqual(environment("evt.type = execve and proc.env icontains HISTFILE"), ["*"]);
  assert.deepEqual(environment("evt.type = execve and proc.args contains x"), []);
});

test("what becomes of connections is asked for where a rule waits for it by name", () => {
  const courses = (condition: string): boolean => {
    const rule = `- rule: a\n  desc: x\n  condition: ${condition}\n  output: x\n  priority: NOTICE`;
    const { asks, unserved } = needsOf(loadRules([{ name: "x.yaml", text: rule }]).ruleset.rules);
    assert.deepEqual(unserved, []);
    return asks.courses;
  };
  assert.equal(courses("evt.type = closed and fd.sport = 22"), true);
  assert.equal(courses("evt.type in (connect, established)"), true);
  assert.equal(courses("evt.type = connect"), false);
  assert.equal(courses("evt.type != close and proc.name = nc"), false);
});

test("one that waits for what is never told is named", () => {
  assert.deepEqual(needs("evt.type = sched_yield", "evt.type in (nanosleep, execve)"), ["", "", "a"]);
});

test("files that rules of others want to see opened are asked for, and not those that they want to see written", () => {
  const opened = (condition: string): readonly string[] => {
    const rule = `- rule: a\n  desc: x\n  condition: ${condition}\n  output: x\n  priority: NOTICE`;
    return needsOf(loadRules([{ name: "x.yaml", text: rule }]).ruleset.rules).asks.opened;
  };
  const read = "evt.type in (open, openat) and evt.is_open_read = true";
  assert.deepEqual(opened(`${read} and fd.name in (/app/secret.key, /etc/shadow)`), ["/app/secret.key", "/etc/shadow"]);
  assert.deepEqual(opened(`${read} and (fd.directory = /etc/pam.d or fd.name startswith /srv/keys/)`), [
    "/etc/pam.d",
    "/srv/keys",
  ]);
  assert.deepEqual(opened(`${read} and not fd.name = /etc/passwd and proc.name = /bin/sh`), []);
  assert.deepEqual(opened("evt.type = openat and evt.is_open_write = true and fd.name = /etc/passwd"), []);
  assert.deepEqual(opened(`${read} and fd.name startswith /`), [], "not all there is");
});

test("directories in which rules of others want to see something made, removed, renamed or changed are asked for", () => {
  const changed = (condition: string): readonly string[] => {
    const rule = `- rule: a\n  desc: x\n  condition: ${condition}\n  output: x\n  priority: NOTICE`;
    return needsOf(loadRules([{ name: "x.yaml", text: rule }]).ruleset.rules).asks.changed;
  };
  const removed = "evt.type in (unlink, unlinkat, rmdir)";
  assert.deepEqual(changed(`${removed} and fs.path.name startswith /srv/app/`), ["/srv/app"]);
  assert.deepEqual(changed(`${removed} and fs.path.name in (/srv/app/key, /srv/app/other, /key)`), ["/", "/srv/app"]);
  assert.deepEqual(changed("evt.type = renameat and (fs.path.target = /a/b/c or fs.path.source startswith /d/e)"), [
    "/a/b",
    "/d",
  ]);
  assert.deepEqual(changed("evt.type = openat and evt.is_open_write = true and fd.directory = /srv/x"), ["/srv/x"]);
  assert.deepEqual(changed("evt.type = fchmodat and not fd.name = /a/b"), []);
  assert.deepEqual(changed("evt.type in (openat, execve) and fd.name startswith /srv/app/"), []);
});

test("more files than are watched are counted, and none is so long that the sensor could not be started", () => {
  const paths = Array.from({ length: 300 }, (_, n) => `/srv/${n}`).concat(`/srv/${"x".repeat(500)}`);
  const condition = `evt.type = open and evt.is_open_read = true and fd.name in (${paths.join(", ")})`;
  const text = `- rule: a\n  desc: x\n  condition: ${condition}\n  output: x\n  priority: NOTICE`;
  const { asks, leftOut } = needsOf(loadRules([{ name: "x.yaml", text }]).ruleset.rules);
  assert.deepEqual([asks.opened.length, leftOut], [256, 45]);
  assert.ok(asks.opened.every((path) => path.length < 10));
});

test("one that is switched off needs nothing, so Bulwark's own slow nothing and all can fire", () => {
  const { asks, unserved } = needsOf(openRules({ files: [], disabled: [] }).ruleset.rules);
  assert.deepEqual(asks, { calls: [], opened: [], changed: [], environment: [], courses: false });
  assert.deepEqual(unserved, []);
});
