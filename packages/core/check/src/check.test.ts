import assert from "node:assert/strict";
import { test } from "node:test";
import { caseProblems, evaluateChecks, parseChecks, type Check, type Facts } from "./index.ts";

const base = {
  id: "no-telnet",
  title: "Telnet is off",
  severity: "high",
  why: "It sends passwords.",
  remedy: "Disable it.",
};

function check(fields: Record<string, unknown>, variables = ["host", "ports"]): Check {
  const document = { ...base, reason: "telnet is {host.telnet}", cases: [], ...fields };
  const [one] = parseChecks([{ name: "a.yaml", text: JSON.stringify(document) }], variables);
  assert.ok(one);
  return one;
}

function states(one: Check, facts: Facts): string[] {
  return evaluateChecks([one], facts, "node-1").map(({ state }) => state);
}

test("a check holds or does not, with what was seen and how to mend it", () => {
  const one = check({ pass: "host.telnet == 'off'", evidence: { telnet: "host.telnet" } });
  assert.deepEqual(states(one, { values: { host: { telnet: "off" } } }), ["pass"]);
  const [failed] = evaluateChecks([one], { values: { host: { telnet: "on" } } }, "node-1");
  assert.equal(failed?.state, "fail");
  assert.equal(failed.reason, "telnet is on");
  assert.deepEqual(failed.evidence, [{ key: "telnet", value: "on" }]);
  assert.equal(failed.subject, "node-1");
  assert.equal(failed.remedy, "Disable it.");
});

test("what could not be looked at is unknown, however the check asks for it", () => {
  const asked = [
    "host.telnet == 'off'",
    "host.telnet != 'off'",
    "!has(host.telnet)",
    "has(host.telnet)",
    "host.?telnet.orValue('off') == 'off'",
    "!(host.telnet == 'off')",
    "!('telnet' in host) || host.telnet == 'off'",
  ];
  for (const pass of asked) {
    const facts = { values: { host: {} }, missing: { "host.telnet": "permission denied" } };
    const [result] = evaluateChecks([check({ pass })], facts, "node-1");
    assert.equal(result?.state, "unknown", pass);
    assert.match(result.reason, /host\.telnet: permission denied/, pass);
  }
  assert.deepEqual(states(check({ pass: "host.telnet == 'off'" }), { values: {} }), ["unknown"]);
  assert.deepEqual(states(check({ pass: "host.telnet == 'off'" }), { values: { host: null } }), ["unknown"]);
  const missing = { host: "not asked", "host.telnet": "never reached" };
  assert.deepEqual(states(check({ pass: "!has(host.telnet)" }), { values: {}, missing }), ["unknown"]);
});

test("what is missing may have dots in its name", () => {
  const one = check({ pass: "host['/etc/a.conf'].mode == 0", reason: "no" });
  const values = { host: { "/etc/a.conf": { mode: 0 }, "/etc/b.conf": { mode: 0 } } };
  assert.deepEqual(states(one, { values, missing: { "host[/etc/b.conf].mode": "no right" } }), ["pass"]);
  assert.deepEqual(states(one, { values, missing: { "host[/etc/a.conf].mode": "no right" } }), ["unknown"]);
  assert.deepEqual(states(one, { values, missing: { "host[/etc/a.conf]": "no right" } }), ["unknown"]);
});

test("a mode is held against the bits that it may have", () => {
  const one = check({ pass: "host.mode.within('640')" });
  const said = ["600", "640", "0", "644", "4640", "root", ""].map((mode) =>
    states(one, { values: { host: { mode } } }),
  );
  assert.deepEqual(said.flat(), ["pass", "pass", "pass", "fail", "fail", "fail", "fail"]);
});

test("a missing fact does not matter where the rest decides", () => {
  const one = check({ pass: "host.telnet == 'off' || host.offline" });
  const facts = { values: { host: { offline: true } }, missing: { "host.telnet": "permission denied" } };
  assert.deepEqual(states(one, facts), ["pass"]);
});

test("facts of another shape than expected are unknown, never a pass", () => {
  for (const host of ["text", 7, [], { telnet: { deep: true } }]) {
    assert.deepEqual(states(check({ pass: "host.telnet < 3" }), { values: { host } }), ["unknown"]);
  }
  assert.deepEqual(states(check({ pass: "host" }), { values: { host: "yes" } }), ["unknown"]);
  assert.deepEqual(states(check({ each: "host", pass: "item.ok" }), { values: { host: "yes" } }), ["unknown"]);
});

test("a check of many things names each that fails, by its line", () => {
  const one = check({ each: "ports", pass: "item.number != 23", reason: "port {item.number} is open" });
  const ports = [22, 23, 80, 23].map((number, index) => ({ number, line: index + 1 }));
  const results = evaluateChecks([one], { values: { ports } }, "node-1");
  assert.deepEqual(
    results.map(({ state, line, reason }) => [state, line, reason]),
    [
      ["fail", 2, "port 23 is open"],
      ["fail", 4, "port 23 is open"],
    ],
  );
  assert.deepEqual(states(one, { values: { ports: [] } }), ["not-applicable"]);
  assert.deepEqual(states(one, { values: { ports: [{ number: 22 }] } }), ["pass"]);
  assert.deepEqual(states(one, { values: { ports: [{ number: 22 }, {}] } }), ["unknown"]);
});

test("thousands of failing things are counted, not listed", () => {
  const one = check({ each: "ports", pass: "item.number != 23", reason: "port {item.number} is open" });
  const ports = Array.from({ length: 5000 }, () => ({ number: 23 }));
  const results = evaluateChecks([one], { values: { ports } }, "node-1");
  assert.equal(results.length, 100);
  assert.match(results.at(-1)?.reason ?? "", /and 4900 more$/);
});

test("where a check is not about the thing, it says so", () => {
  const one = check({ applies: "host.os == 'linux'", pass: "host.telnet == 'off'" });
  assert.deepEqual(states(one, { values: { host: { os: "plan9" } } }), ["not-applicable"]);
  assert.deepEqual(states(one, { values: { host: {} } }), ["unknown"]);
  const told = check({ applies: "host.os == 'linux'", otherwise: "{host.os} has none", pass: "host.telnet == 'off'" });
  const [result] = evaluateChecks([told], { values: { host: { os: "plan9" } } }, "node-1");
  assert.deepEqual([result?.state, result?.reason], ["not-applicable", "plan9 has none"]);
});

test("a check that would run for too long is unknown", () => {
  const ports = Array.from({ length: 3000 }, (_, index) => index);
  const one = check({ pass: "ports.all(a, ports.all(b, ports.all(c, a + b + c >= 0)))" });
  const [result] = evaluateChecks([one], { values: { ports } }, "node-1");
  assert.equal(result?.state, "unknown");
  assert.match(result.reason, /costs more/);
});

test("what is wrong in a file is told with its place", () => {
  const wrong = (text: string): string => {
    try {
      parseChecks([{ name: "a.yaml", text }], ["host"]);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const good = `id: one-check\ntitle: t\nseverity: low\nwhy: w\nremedy: r\npass: host.a\nreason: "{host.a}"\ncases: []\n`;
  assert.equal(wrong(good), "");
  assert.match(wrong(good.replace("pass: host.a", "pass: host.a ==")), /^a\.yaml:6: pass: /);
  assert.match(wrong(good.replace("pass: host.a", "pass: hots.a")), /^a\.yaml:6: pass: .*hots/);
  assert.match(wrong(good.replace("pass: host.a", "pass: '1 + 1'")), /must be a bool, and is a int/);
  assert.match(wrong(good.replace("{host.a}", "{item.a}")), /^a\.yaml:7: reason: .*item/);
  assert.match(wrong(good.replace("severity: low", "severity: awful")), /^a\.yaml:3: severity: /);
  assert.match(wrong(`${good}colour: red\n`), /colour/);
  assert.match(
    wrong(good.replace("cases: []", "cases:\n  - name: x\n    given: 1\n    expect: perhaps")),
    /^a\.yaml:11: cases\.0\.expect/,
  );
  assert.match(wrong(`${good}---\n${good}`), /one-check is at a\.yaml:1 already/);
  assert.match(wrong("a: [1"), /^a\.yaml:1: /);
  assert.match(wrong(""), /nothing is in it/);
});

test("cases that do not hold are told, and so is what has none", () => {
  const factsOf = (given: unknown): Facts => ({ values: { host: given } });
  const one = check({
    pass: "host.telnet == 'off'",
    cases: [
      { name: "off", given: { telnet: "off" }, expect: "pass" },
      { name: "on", given: { telnet: "on" }, expect: "fail", reason: "is on" },
      { name: "not seen", given: {}, missing: { "host.telnet": "no right" }, expect: "unknown", reason: "no right" },
    ],
  });
  assert.deepEqual(caseProblems([one], factsOf), []);
  const careless = check({ pass: "true", cases: [{ name: "on", given: { telnet: "on" }, expect: "fail" }] });
  assert.deepEqual(caseProblems([careless], factsOf), [
    "no-telnet: no case that it must pass",
    "no-telnet: on: pass (it holds), not fail",
  ]);
});
