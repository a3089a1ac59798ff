import assert from "node:assert/strict";
import { test } from "node:test";
import { createEngine } from "./engine.ts";
import type { FieldValue, RuleEvent } from "./event.ts";
import { loadRules } from "./load/load.ts";

/** Whether a condition holds of an event with these fields. */
export function holds(condition: string, fields: Record<string, FieldValue>, before = "", source = "syscall"): boolean {
  const text = `${before}\n- rule: r\n  desc: d\n  source: ${source}\n  condition: ${JSON.stringify(condition)}\n  output: o\n  priority: INFO\n`;
  const { ruleset, errors } = loadRules([{ name: "t.yaml", text }]);
  assert.deepEqual(
    errors.map(({ message }) => message),
    [],
  );
  const event: RuleEvent = {
    source,
    type: String(fields["evt.type"] ?? "openat"),
    get: (field, argument) => fields[argument === undefined ? field : `${field}[${argument}]`],
  };
  return createEngine(ruleset).match(event).length === 1;
}

/** What holds and what does not, by what it is about. `evt.num >= 0` would hold of every event. */
const tables: Record<string, [condition: string, fields: Record<string, FieldValue>, expected: boolean][]> = {
  "a field that has no value makes every comparison false, and its negation true": [
    ["proc.name = cat", {}, false],
    ["proc.name != cat", {}, false],
    ["not proc.name = cat", {}, true],
    ["not proc.name != cat", {}, true],
    ["not proc.name in (cat, dog)", {}, true],
    ["proc.name exists", {}, false],
    ["not proc.name exists", {}, true],
    ["fd.num < 0", {}, false],
    ["fd.num >= 0", {}, false],
    ["proc.name contains ''", {}, false],
  ],
  "or binds weaker than and, not strongest": [
    ["proc.name=a or proc.name=b and fd.num=1", { "proc.name": "a", "fd.num": 0 }, true],
    ["(proc.name=a or proc.name=b) and fd.num=1", { "proc.name": "a", "fd.num": 0 }, false],
    ["not proc.name=a and fd.num=1", { "proc.name": "b", "fd.num": 1 }, true],
    ["not(proc.name=a and fd.num=1)", { "proc.name": "a", "fd.num": 2 }, true],
    ["not not proc.name=a", { "proc.name": "a" }, true],
    ["proc.name=a or(fd.num=1)and(fd.num=1)", { "proc.name": "b", "fd.num": 1 }, true],
  ],
  "operators of texts": [
    ["proc.name == cat", { "proc.name": "cat" }, true],
    ["proc.name = 'a b'", { "proc.name": "a b" }, true],
    [String.raw`proc.name = "a\"b\\"`, { "proc.name": 'a"b\\' }, true],
    ["proc.name contains at", { "proc.name": "cat" }, true],
    ["proc.name icontains AT", { "proc.name": "cAt" }, true],
    ["proc.name contains AT", { "proc.name": "cat" }, false],
    ["fd.name startswith /etc/", { "fd.name": "/etc/x" }, true],
    ["fd.name startswith /etc/", { "fd.name": "/etc" }, false],
    ["fd.name endswith .so", { "fd.name": "a.so" }, true],
    ["proc.name >= b", { "proc.name": "c" }, true],
    ["proc.name = runc:[0:PARENT]", { "proc.name": "runc:[0:PARENT]" }, true],
  ],
  "glob is fnmatch(3): a star takes slashes, too": [
    ["fd.name glob '/home/*/.ssh/*'", { "fd.name": "/home/a/b/.ssh/id" }, true],
    ["fd.name glob '/home/*/.ssh/*'", { "fd.name": "/home/.ssh/id" }, false],
    ["fd.name glob 'a?c'", { "fd.name": "abc" }, true],
    ["fd.name glob 'a?c'", { "fd.name": "abbc" }, false],
    ["fd.name glob '[!a-c]x'", { "fd.name": "dx" }, true],
    ["fd.name glob '[!a-c]x'", { "fd.name": "bx" }, false],
    ["fd.name glob '[]x'", { "fd.name": "[]x" }, true],
    ["fd.name glob '*a*b*'", { "fd.name": "xxbxxa" }, false],
    ["fd.name iglob 'ABC*'", { "fd.name": "abcd" }, true],
    [String.raw`fd.name glob 'a\\*'`, { "fd.name": "a*" }, true],
    ["fd.name glob 'ab*ba'", { "fd.name": "aba" }, false],
  ],
  "regex is RE2 and takes the whole text": [
    ["proc.name regex 'py.*[0-9]'", { "proc.name": "python3" }, true],
    ["proc.name regex 'py'", { "proc.name": "python3" }, false],
    ["proc.name regex 'a|ab'", { "proc.name": "ab" }, true],
  ],
  "pmatch: the path, or one above it, is in the list": [
    ["fd.name pmatch (/etc, /var/log)", { "fd.name": "/etc/passwd" }, true],
    ["fd.name pmatch (/etc, /var/log)", { "fd.name": "/etc" }, true],
    ["fd.name pmatch (/etc, /var/log)", { "fd.name": "/etcetera" }, false],
    ["fd.name pmatch (/home/*/.ssh)", { "fd.name": "/home/a/.ssh/id" }, true],
    ["fd.name pmatch (/home/*/.ssh)", { "fd.name": "/home/a/b/.ssh/id" }, false],
    ["fd.name pmatch ()", { "fd.name": "/a" }, false],
  ],
  "numbers and booleans": [
    ["fd.num = 0x10", { "fd.num": 16 }, true],
    ["fd.num in (1, 2)", { "fd.num": 2 }, true],
    ["fd.num != 1", { "fd.num": 2 }, true],
    ["proc.duration <= 5000000000", { "proc.duration": 5_000_000_000n }, true],
    ["evt.rawres >= -2", { "evt.rawres": -1 }, true],
    ["evt.is_open_read = true", { "evt.is_open_read": true }, true],
    ["evt.is_open_read = false", { "evt.is_open_read": true }, false],
    ["evt.is_open_read != true", { "evt.is_open_read": false }, true],
  ],
  "addresses and networks": [
    ["fd.sip = 10.0.0.1", { "fd.sip": "10.0.0.1" }, true],
    ["fd.sip != 10.0.0.1", { "fd.sip": "fd00::1" }, true],
    ["fd.sip = '::1'", { "fd.sip": "0:0:0:0:0:0:0:1" }, true],
    ["fd.sip = 10.0.0.1", { "fd.sip": "::ffff:10.0.0.1" }, true],
    ['fd.snet in ("10.0.0.0/8", "fd00::/8")', { "fd.snet": "10.255.0.1" }, true],
    ['fd.snet in ("10.0.0.0/8", "fd00::/8")', { "fd.snet": "fdff::1" }, true],
    ['fd.snet in ("10.0.0.0/8", "fd00::/8")', { "fd.snet": "11.0.0.1" }, false],
    ['fd.snet in ("0.0.0.0/0")', { "fd.snet": "::1" }, false],
    ['fd.snet = "10.0.0.0/8"', { "fd.snet": "no address" }, false],
  ],
  "fd.ip and fd.port are either end; != is neither": [
    ["fd.ip = 10.0.0.1", { "fd.ip": ["192.0.2.1", "10.0.0.1"] }, true],
    ["fd.ip != 10.0.0.1", { "fd.ip": ["192.0.2.1", "10.0.0.1"] }, false],
    ["fd.ip != 10.0.0.9", { "fd.ip": ["192.0.2.1", "10.0.0.1"] }, true],
    ["fd.port in (80, 443)", { "fd.port": [40_000, 443] }, true],
    ['fd.net != "10.0.0.0/8"', { "fd.net": ["192.0.2.1", "10.0.0.1"] }, false],
  ],
  "an ancestor without a number is any of them": [
    ["proc.aname = sshd", { "proc.aname": ["bash", "sshd"] }, true],
    ["proc.aname in (a, sshd)", { "proc.aname": ["bash", "sshd"] }, true],
    ["proc.aname startswith ss", { "proc.aname": ["bash", "sshd"] }, true],
    ["proc.aname = sshd", { "proc.aname": [] }, false],
    ["not proc.aname in (sshd)", { "proc.aname": [] }, true],
    ["proc.aname[2] = sshd", { "proc.aname[2]": "sshd" }, true],
    ["proc.apid = 7", { "proc.apid": [3, 7] }, true],
  ],
  "lists on the left: in wants all, intersects one": [
    ["fd.types in (ipv4, ipv6)", { "fd.types": ["ipv4", "ipv4"] }, true],
    ["fd.types in (ipv4, ipv6)", { "fd.types": ["ipv4", "file"] }, false],
    ["fd.types intersects (ipv4, ipv6)", { "fd.types": ["ipv4", "file"] }, true],
    ["fd.types in ()", { "fd.types": ["ipv4"] }, false],
    ["fd.types in (ipv4)", { "fd.types": [] }, false],
    ["proc.name intersects (a, b)", { "proc.name": "b" }, true],
    ["proc.name in ()", { "proc.name": "b" }, false],
  ],
  "modifiers take a list for an operator of one value": [
    ["proc.name startswith anyof (a, b)", { "proc.name": "bx" }, true],
    ["proc.name contains allof (a, b)", { "proc.name": "ab" }, true],
    ["proc.name contains allof (a, b)", { "proc.name": "ac" }, false],
    ["proc.name contains oneof (a, b)", { "proc.name": "ac" }, true],
    ["proc.name contains oneof (a, b)", { "proc.name": "ab" }, false],
    ["proc.name != allof (a, b)", { "proc.name": "c" }, true],
    ["proc.name = anyof", { "proc.name": "anyof" }, true],
  ],
  "transformers, on both sides": [
    ["tolower(proc.name) = cat", { "proc.name": "CaT" }, true],
    ["toupper(proc.name) in (CAT)", { "proc.name": "CaT" }, true],
    ["b64(proc.args) contains /bin/sh", { "proc.args": Buffer.from("exec /bin/sh").toString("base64") }, true],
    ["b64(proc.args) contains x", { "proc.args": "no base64!" }, false],
    ["basename(proc.exepath) = sh", { "proc.exepath": "/bin/sh" }, true],
    ["tolower(basename(proc.exepath)) = sh", { "proc.exepath": "/bin/SH" }, true],
    ["len(proc.args) > 3", { "proc.args": "abcd" }, true],
    ["len(fd.types) = 2", { "fd.types": ["a", "b"] }, true],
    ['join(",", fd.types) = "a,b"', { "fd.types": ["a", "b"] }, true],
    ['concat(proc.name, ":", proc.args) = "a:b"', { "proc.name": "a", "proc.args": "b" }, true],
    ['getopt(proc.args, "e:v") intersects ("e=/bin/sh")', { "proc.args": "-v -e /bin/sh host" }, true],
    ["tolower(proc.name) = cat", {}, false],
    ["proc.name = val(proc.pname)", { "proc.name": "a", "proc.pname": "a" }, true],
    ["proc.name = val(proc.pname)", { "proc.name": "a" }, false],
    ["proc.name != val(proc.pname)", { "proc.name": "a", "proc.pname": "b" }, true],
    ["proc.name = tolower(proc.pname)", { "proc.name": "a", "proc.pname": "A" }, true],
    ["proc.name = proc.pname", { "proc.name": "proc.pname", "proc.pname": "x" }, true],
    ["proc.name in val(proc.aname)", { "proc.name": "b", "proc.aname": ["a", "b"] }, true],
  ],
  bytes: [
    ["evt.buffer contains GET", { "evt.buffer": Buffer.from("x GET /") }, true],
    ["evt.buffer bcontains 00ff", { "evt.buffer": new Uint8Array([1, 0, 255]) }, true],
    ["evt.buffer bstartswith 7f454c46", { "evt.buffer": Buffer.from("\u007fELF") }, true],
    ["evt.buffer bstartswith 7f454c46", { "evt.buffer": Buffer.from("EL") }, false],
  ],
  "arguments in brackets and behind a dot are the same": [
    ["evt.arg.flags contains O_TRUNC", { "evt.arg[flags]": "O_WRONLY|O_TRUNC" }, true],
    ["evt.arg[flags] contains O_TRUNC", { "evt.arg[flags]": "O_WRONLY|O_TRUNC" }, true],
    ["evt.rawarg.fd = 3", { "evt.rawarg[fd]": 3 }, true],
    ["k8s.pod.label[app.kubernetes.io/name] = web", { "k8s.pod.label[app.kubernetes.io/name]": "web" }, true],
    ['container.mount.dest["/proc*"] = /host', { "container.mount.dest[/proc*]": "/host" }, true],
  ],
  "the type of an event": [
    ["evt.type = openat", { "evt.type": "openat" }, true],
    ["evt.type in (open, openat)", { "evt.type": "openat2" }, false],
    ["evt.type != openat", { "evt.type": "connect" }, true],
    ["evt.type startswith exec", { "evt.type": "execveat" }, true],
    ["not evt.type = openat and fd.num = 1", { "evt.type": "connect", "fd.num": 1 }, true],
    ["evt.type.is.openat = 1", { "evt.type": "openat" }, true],
    ["evt.dir = < and evt.type = openat", { "evt.type": "openat" }, true],
    ["evt.dir = '>' and evt.type = openat", { "evt.type": "openat" }, false],
    ["evt.type exists", { "evt.type": "openat" }, true],
  ],
};

for (const [about, rows] of Object.entries(tables)) {
  test(about, () => {
    for (const [condition, fields, expected] of rows) {
      assert.equal(
        holds(condition, fields),
        expected,
        `${condition} of ${JSON.stringify(fields, (_, value: unknown) => String(value))}`,
      );
    }
  });
}

test("many questions about one field are answered as each alone", () => {
  const values = ["/etc/passwd", "/etc", "/var/log/x.log", "x", "", "/etc/shadow"];
  const questions = [
    ...["fd.name = /etc/passwd", "fd.name in (/etc/shadow, x)", "fd.name startswith /etc", "fd.name startswith /etc/p"],
    ...["fd.name endswith .log", "fd.name endswith passwd", "fd.name != x", "fd.name startswith anyof (/var, /x)"],
  ];
  const rules = questions.map(
    (condition, index) =>
      `- {rule: r${index}, desc: d, output: o, priority: INFO, condition: ${JSON.stringify(`evt.type = openat and ${condition}`)}}`,
  );
  const { ruleset } = loadRules([{ name: "t.yaml", text: rules.join("\n") }]);
  const engine = createEngine(ruleset);
  for (const value of [...values, undefined, ...values]) {
    const event: RuleEvent = {
      source: "syscall",
      type: "openat",
      get: (field) => (field === "fd.name" ? value : undefined),
    };
    const fired = new Set(engine.match(event).map(({ rule }) => rule.name));
    questions.forEach((condition, index) => {
      assert.equal(fired.has(`r${index}`), holds(condition, { "fd.name": value }), `${condition} of ${value}`);
    });
  }
});
