import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEngine } from "../engine.ts";
import type { FieldValue } from "../event.ts";
import { problemText } from "../problem.ts";
import { loadRules } from "./load.ts";

const rule = (name: string, condition: string, more = ""): string =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: INFO\n${more}`;

function load(...texts: string[]) {
  return loadRules(texts.map((text, index) => ({ name: `${index}.yaml`, text })));
}

/** Which rules fire at an event with these fields. */
function fired(texts: string[], fields: Record<string, FieldValue>, type = "execve"): string[] {
  const { ruleset, errors } = load(...texts);
  assert.deepEqual(
    errors.map((error) => problemText(error)),
    [],
  );
  const event = {
    source: "syscall",
    type,
    get: (field: string, argument?: string) => fields[argument === undefined ? field : `${field}[${argument}]`],
  };
  return createEngine(ruleset)
    .match(event)
    .map(({ rule }) => rule.name);
}

const execve = "evt.type = execve";

test("macros and lists stand for what they say, lists in lists too, wherever they are defined", () => {
  const text = `
${rule("r", "spawned and proc.name in (shells, 'a b')")}
- macro: spawned
  condition: evt.type in (execve, execveat)
- list: shells
  items: [bash, more_shells, '"(systemd)"']
- list: more_shells
  items: [sh, dash]
`;
  for (const name of ["bash", "sh", "dash", "a b", "(systemd)"])
    assert.deepEqual(fired([text], { "proc.name": name }), ["r"]);
  assert.deepEqual(fired([text], { "proc.name": "more_shells" }), []);
});

test("a list of one item can stand for a value, one of several is refused with what to write instead", () => {
  const one = `- list: name\n  items: [cat]\n${rule("r", `${execve} and proc.name = name`)}`;
  assert.deepEqual(fired([one], { "proc.name": "cat" }), ["r"]);
  const { errors } = load(`- list: name\n  items: [cat, dog]\n${rule("r", `${execve} and proc.name = name`)}`);
  assert.match(errors[0]?.remedy ?? "", /in \(name\)/);
});

test("later files append to and replace what earlier ones define, both ways", () => {
  const base = `${rule("r", `${execve} and names and proc.tty = 0`)}
- macro: names
  condition: proc.name in (known)
- list: known
  items: [cat]
`;
  assert.deepEqual(fired([base], { "proc.name": "cat", "proc.tty": 0 }), ["r"]);
  const list = "- list: known\n  items: [dog]\n  override: {items: append}\n";
  assert.deepEqual(fired([base, list], { "proc.name": "dog", "proc.tty": 0 }), ["r"]);
  const macro = "- macro: names\n  condition: or proc.name = cow\n  append: true\n";
  assert.deepEqual(fired([base, macro], { "proc.name": "cow", "proc.tty": 0 }), ["r"]);
  const appended = "- rule: r\n  condition: and not proc.name = cat\n  override: {condition: append}\n";
  assert.deepEqual(fired([base, appended], { "proc.name": "cat", "proc.tty": 0 }), []);
  const replaced = `- rule: r\n  condition: ${execve}\n  enabled: true\n  override: {condition: replace, enabled: replace}\n`;
  assert.deepEqual(fired([base, replaced], { "proc.name": "x" }), ["r"]);
  const off = "- rule: r\n  enabled: false\n";
  assert.deepEqual(fired([base, off], { "proc.name": "cat", "proc.tty": 0 }), []);
  const anew = rule("r", `${execve} and proc.name = pig`);
  assert.deepEqual(fired([base, anew], { "proc.name": "pig" }), ["r"]);
});

test("exceptions: rows of several fields, the list of one, own operators, values appended", () => {
  const base = `${rule("r", execve)}  exceptions:
    - name: pairs
      fields: [proc.name, proc.pname]
      values:
        - [cat, bash]
        - ["a b", sh]
    - name: paths
      fields: [proc.name, fd.directory]
      comps: [in, startswith]
      values:
        - [[x, y], /etc]
    - name: one
      fields: proc.exe
      values: [/bin/a, /bin/b]
    - name: below
      fields: fd.name
      comps: pmatch
      values: [/usr]
    - name: later
      fields: [proc.name]
`;
  const quiet: Record<string, FieldValue>[] = [
    { "proc.name": "cat", "proc.pname": "bash" },
    { "proc.name": "a b", "proc.pname": "sh" },
    { "proc.name": "y", "fd.directory": "/etc/x" },
    { "proc.exe": "/bin/b" },
    { "fd.name": "/usr/lib/x" },
  ];
  for (const fields of quiet) assert.deepEqual(fired([base], fields), [], JSON.stringify(fields));
  assert.deepEqual(fired([base], { "proc.name": "cat", "proc.pname": "sh" }), ["r"]);
  assert.deepEqual(fired([base], { "proc.name": "dog" }), ["r"]);
  const appended =
    "- rule: r\n  exceptions:\n    - name: later\n      values: [[dog]]\n  override: {exceptions: append}\n";
  assert.deepEqual(fired([base, appended], { "proc.name": "dog" }), []);
  assert.match(load(base.replace("[cat, bash]", "[cat]")).errors[0]?.message ?? "", /no list of 2/);
});

/** What is wrong, and where: line and column of the place itself. */
const wrong: [what: string, text: string, place: string, message: RegExp][] = [
  [
    "an unknown field, in a folded condition",
    `- rule: r\n  desc: d\n  condition: >\n    evt.type = execve\n      and proc.nam = x\n  output: o\n  priority: INFO\n`,
    "5:11",
    /no field proc\.nam/,
  ],
  [
    "in a quoted condition",
    rule("r", `'evt.type = execve and proc.name = ''x'' and proc.nam = x'`),
    "3:59",
    /no field proc\.nam/,
  ],
  [
    "in a condition that was appended",
    `${rule("r", execve)}- rule: r\n  condition: and proc.nam = x\n  override: {condition: append}\n`,
    "7:18",
    /no field/,
  ],
  ["in a macro", `- macro: m\n  condition: proc.nam = x\n${rule("r", `${execve} and m`)}`, "2:14", /no field/],
  ["an unknown macro", rule("r", `${execve} and spawned`), "3:36", /no macro spawned/],
  ["an unknown event type", rule("r", "evt.type = exec"), "3:25", /no event type exec/],
  [
    "an operator that is not for the type",
    rule("r", `${execve} and fd.num contains 1`),
    "3:36",
    /contains is not for fd\.num/,
  ],
  ["= for a list", rule("r", `${execve} and fd.types = ipv4`), "3:36", /which is a list/],
  ["no number", rule("r", `${execve} and fd.num = x`), "3:45", /no number/],
  ["no boolean", rule("r", `${execve} and evt.is_open_read = yes`), "3:55", /neither true nor false/],
  ["no network", rule("r", `${execve} and fd.snet = 10.0.0.0/33`), "3:46", /no address/],
  ["no regular expression", rule("r", `${execve} and proc.name regex '(?=x)'`), "3:52", /invalid|unsupported|error/i],
  ["a missing parenthesis", rule("r", `${execve} and (proc.name = a`), "3:50", /where "\)" is expected/],
  ["a missing argument", rule("r", `${execve} and evt.arg = x`), "3:36", /needs an argument/],
  [
    "a macro that stands for itself",
    `- macro: a\n  condition: b\n- macro: b\n  condition: a\n${rule("r", "a")}`,
    "4:14",
    /stands for itself: a → b → a/,
  ],
  [
    "a list that holds itself",
    `- list: a\n  items: [b]\n- list: b\n  items: [a]\n${rule("r", `${execve} and proc.name in (a)`)}`,
    "4:11",
    /holds itself/,
  ],
  [
    "an unknown field in an output",
    rule("r", execve).replace("output: o", "output: x %proc.nme"),
    "4:14",
    /no field proc\.nme/,
  ],
  ["a percent sign alone", rule("r", execve).replace("output: o", 'output: "100% sure"'), "4:15", /percent sign/],
  ["no priority", rule("r", execve).replace("  priority: INFO\n", ""), "1:3", /without "priority"/],
  ["an unknown priority", rule("r", execve).replace("INFO", "HIGH"), "5:13", /no such priority/],
  [
    "an override of nothing",
    `- rule: r\n  condition: x\n  override: {condition: append}\n`,
    "1:3",
    /no such rule before it/,
  ],
  [
    "an override that cannot be",
    `${rule("r", execve)}- rule: r\n  priority: INFO\n  override: {priority: append}\n`,
    "8:14",
    /cannot be appended to/,
  ],
  [
    "a key that override does not name",
    `${rule("r", execve)}- rule: r\n  condition: and x\n  output: o\n  override: {condition: append}\n`,
    "8:3",
    /override does not name it/,
  ],
  ["a version that is not there yet", "- required_engine_version: 9.0.0\n", "1:28", /asks for engine/],
  [
    "a plugin that is not there",
    "- required_plugin_versions:\n  - name: okta\n    version: 0.1.0\n",
    "2:5",
    /needs the plugin okta/,
  ],
  ["no YAML", "- rule: [\n", "2:1", /./],
  ["no list", "rule: x\n", "1:1", /a rule file is a list/],
  ["an alias", "- list: a\n  items: &x [a]\n- list: b\n  items: *x\n", "4:10", /alias/],
];
for (const [what, text, place, message] of wrong) {
  test(`an error names its place and how to mend it: ${what}`, () => {
    const { errors } = load(text);
    const [error] = errors;
    assert.ok(error, "there is no error");
    assert.match(error.message, message);
    assert.equal(`${error.line}:${error.column}`, place, problemText(error));
    assert.ok(error.remedy.length > 5);
    assert.match(error.excerpt, /\^/);
  });
}

test("one broken rule does not take the others with it", () => {
  const { ruleset, errors } = load(`${rule("good", execve)}${rule("bad", "proc.nam = x")}`);
  assert.deepEqual(
    ruleset.rules.map(({ name }) => name),
    ["good"],
  );
  assert.equal(errors.length, 1);
});

test("warnings tell what is without effect", () => {
  const codes = (text: string): string[] => load(text).warnings.map(({ code }) => code);
  assert.deepEqual(codes(rule("r", "proc.name = x")), ["LOAD_NO_EVTTYPE"]);
  assert.deepEqual(codes(rule("r", "proc.name = x", "  warn_evttypes: false\n")), []);
  assert.deepEqual(codes(rule("r", execve, "  colour: red\n")), ["LOAD_UNKNOWN_KEY"]);
  assert.deepEqual(codes(`- thing: x\n${rule("r", execve)}`), ["LOAD_UNKNOWN_ITEM"]);
  assert.deepEqual(codes(`- macro: m\n  condition: ${execve}\n${rule("r", execve)}`), ["LOAD_UNUSED_MACRO"]);
  assert.deepEqual(codes(rule("r", execve, "  source: okta\n")), ["LOAD_UNKNOWN_SOURCE"]);
  assert.deepEqual(codes(rule("r", `${execve} and evt.dir = <`)), ["LOAD_DEPRECATED_ITEM"]);
  assert.deepEqual(codes(rule("r", `${execve} and a.b = x`, "  skip-if-unknown-filter: true\n")), [
    "LOAD_UNKNOWN_FILTER",
  ]);
});

test("versions: numbers and dots, plugins with alternatives", () => {
  const text = `- required_engine_version: 15
- required_engine_version: 0.57.0
- required_plugin_versions:
    - name: okta
      version: 0.1.0
      alternatives:
        - name: container
          version: 0.4.0
${rule("r", execve)}`;
  assert.deepEqual(load(text).errors, []);
});

test("what a rule says of itself: severity, techniques, what to look at and to do", () => {
  const { ruleset } = load(
    rule(
      "Mount a disk!",
      execve,
      "  tags: [container, mitre_privilege_escalation, T1611]\n  severity: critical\n  check: the disk\n  remedy: stop it\n",
    ),
  );
  const [told] = ruleset.rules;
  assert.equal(told?.id, "mount-a-disk");
  assert.equal(told?.severity, "critical");
  assert.deepEqual(told?.techniques, ["T1611"]);
  assert.deepEqual(told?.tactics, ["privilege escalation"]);
  assert.deepEqual([told?.check, told?.remedy], ["the disk", "stop it"]);
});

test("a rule file that would grow without end is refused, soon", () => {
  const macros = Array.from(
    { length: 60 },
    (_, n) => `- macro: m${n + 1}\n  condition: (m${n} and fd.num = ${n}) or (m${n} and fd.num = -${n})\n`,
  );
  const { errors } = load(
    `- macro: m0\n  condition: proc.name = x\n${macros.join("")}${rule("r", `${execve} and m60`)}`,
  );
  assert.match(errors[0]?.message ?? "", /grows too large/);
  const deep = `${"(".repeat(5000)}proc.name = x${")".repeat(5000)}`;
  assert.match(load(rule("r", deep)).errors[0]?.message ?? "", /nested more than/);
  assert.match(load(`${"[".repeat(20_000)}\n`).errors[0]?.message ?? "", /nested|deep|Nest/i);
  assert.equal(load(`- ${"[".repeat(100)}${"]".repeat(100)}\n`).errors.length, 1);
});

test("nothing that is read makes the reader fail", () => {
  const words = [
    "proc.name",
    "=",
    "in",
    "(",
    ")",
    "and",
    "or",
    "not",
    "'",
    '"',
    "\\",
    "a",
    "fd.num",
    "[",
    "]",
    "exists",
    ",",
    " ",
    "evt.type",
    "val(",
    "tolower(",
    "regex",
    "glob",
    "*",
    "anyof",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 20 }), (parts) => {
      load(rule("r", JSON.stringify(parts.join(" "))));
      load(rule("r", execve).replace("output: o", `output: ${JSON.stringify(`%${parts.join("")}`)}`));
    }),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => void load(text)),
    { numRuns: 300 },
  );
});
