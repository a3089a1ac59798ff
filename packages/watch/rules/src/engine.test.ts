import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "./engine.ts";
import type { FieldValue, ProcessMemory, RuleEvent } from "./event.ts";
import { loadRules } from "./load/load.ts";

function engineOf(rules: string) {
  const { ruleset, errors } = loadRules([{ name: "t.yaml", text: rules }]);
  assert.deepEqual(errors, []);
  return createEngine(ruleset);
}

const rule = (name: string, condition: string, more = ""): string =>
  `- {rule: ${name}, desc: d, output: "seen %proc.name", priority: INFO, condition: ${JSON.stringify(condition)}${more}}\n`;

class Counted implements RuleEvent {
  readonly source = "syscall";
  readonly type: string;
  readonly process: ProcessMemory | undefined;
  readonly fields: Record<string, FieldValue>;
  readonly asked: string[] = [];

  constructor(type: string, fields: Record<string, FieldValue>, process?: ProcessMemory) {
    this.type = type;
    this.fields = fields;
    this.process = process;
  }

  get(field: string, argument?: string): FieldValue {
    this.asked.push(field);
    return this.fields[argument === undefined ? field : `${field}[${argument}]`];
  }
}

test("what depends on the process only is asked once for each process, and again after an exec", () => {
  const engine = engineOf(
    rule("a", "evt.type = openat and proc.name = cat and fd.num = 1") +
      rule("b", "evt.type = openat and proc.name = cat and fd.num = 2"),
  );
  const before: ProcessMemory = {};
  const names = (event: Counted): string[] => engine.match(event).map(({ rule }) => rule.name);
  assert.deepEqual(names(new Counted("openat", { "proc.name": "cat", "fd.num": 1 }, before)), ["a"]);
  const second = new Counted("openat", { "proc.name": "cat", "fd.num": 3 }, before);
  assert.deepEqual(names(second), []);
  assert.ok(!second.asked.includes("proc.name"));
  const after = new Counted("openat", { "proc.name": "dog", "fd.num": 2 }, {});
  assert.deepEqual(names(after), []);
});

test("the answers of another engine about a process are not taken over", () => {
  const first = engineOf(rule("a", "evt.type = openat and proc.name = cat"));
  const second = engineOf(rule("a", "evt.type = openat and proc.name = dog"));
  const process: ProcessMemory = {};
  const event = new Counted("openat", { "proc.name": "cat" }, process);
  assert.equal(first.match(event).length, 1);
  assert.equal(second.match(event).length, 0);
  assert.equal(first.match(event).length, 1);
});

test("a type that comes later asks a known process what is new", () => {
  const engine = engineOf(
    Array.from({ length: 60 }, (_, index) => rule(`o${index}`, `evt.type = openat and proc.name = p${index}`)).join(
      "",
    ) +
      Array.from({ length: 60 }, (_, index) => rule(`c${index}`, `evt.type = connect and proc.exe = e${index}`)).join(
        "",
      ),
  );
  const process: ProcessMemory = {};
  const fields = { "proc.name": "p59", "proc.exe": "e59" };
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(
      engine.match(new Counted("openat", fields, process)).map(({ rule }) => rule.name),
      ["o59"],
    );
    assert.deepEqual(
      engine.match(new Counted("connect", fields, process)).map(({ rule }) => rule.name),
      ["c59"],
    );
  }
});

test("a field is asked for at most once for each event, and not at all for a type without rules", () => {
  const engine = engineOf(
    rule("a", "evt.type = openat and (fd.name = a or fd.name = b)") +
      rule("b", "evt.type = openat and fd.name endswith c"),
  );
  const event = new Counted("openat", { "fd.name": "zc" });
  engine.match(event);
  // Once to decide; the output asks for another field.
  assert.equal(event.asked.filter((field) => field === "fd.name").length, 1);
  const other = new Counted("close", {});
  assert.deepEqual(engine.match(other), []);
  assert.deepEqual(other.asked, []);
});

test("outputs show fields, arguments, transformers, and <NA> for what has no value", () => {
  const text = `- rule: r
  desc: d
  condition: evt.type = openat
  output: "*%proc.name did %evt.arg.flags to %fd.name, parent %proc.aname[2], 100%%, %toupper(proc.name). %fd.num"
  priority: INFO
`;
  const [match] = engineOf(text).match(
    new Counted("openat", { "proc.name": "cat", "evt.arg[flags]": "O_RDONLY", "proc.aname[2]": "sh", "fd.num": 3 }),
  );
  assert.equal(match?.output, "cat did O_RDONLY to <NA>, parent sh, 100%, CAT. 3");
  assert.deepEqual(match?.fields, {
    "proc.name": "cat",
    "evt.arg.flags": "O_RDONLY",
    "proc.aname[2]": "sh",
    "toupper(proc.name)": "CAT",
    "fd.num": 3,
  });
});

test("rules that are off are not matched; types that rules ask for are told", () => {
  const engine = engineOf(
    rule("a", "evt.type in (openat, open)", ", enabled: false") + rule("b", "evt.type = connect"),
  );
  assert.deepEqual(engine.match(new Counted("openat", {})), []);
  assert.deepEqual(engine.eventTypes, ["connect"]);
  assert.equal(engineOf(rule("any", "proc.name = x", ", warn_evttypes: false")).eventTypes, undefined);
});

test("the time of an event does not grow with the square of its text", () => {
  const engine = engineOf(
    rule("glob", "evt.type = openat and fd.name glob '*a*a*a*a*a*b'") +
      rule("regex", "evt.type = openat and fd.name regex '(a|aa)+b'") +
      rule("contains", `evt.type = openat and fd.name contains ${"a".repeat(40)}b`),
  );
  // Takes minutes where matching is not linear.
  for (let count = 0; count < 20; count++) engine.match(new Counted("openat", { "fd.name": "a".repeat(60_000) }));
});
