import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { alert as alertSchema, event as eventSchema } from "@bulwark/model";
import { longestLine } from "@bulwark/model/plain";
import { damaged, fuzzing } from "@bulwark/testkit";
import fc from "fast-check";
import { parse } from "yaml";
import { readBytes } from "./run.fixture.ts";

/** Lines, and what has to come of them: parts of alerts and events, in their order. */
interface Case {
  name: string;
  lines: string;
  rules?: string;
  host?: boolean;
  alerts: object[];
  events?: object[];
  passedOver?: Record<string, number>;
  broken?: number;
  /** `line: reason`, as they begin. */
  examples?: string[];
  falco?: number;
  lost?: number;
}

const folder = join(import.meta.dirname, "cases");
const cases = readdirSync(folder).flatMap((file) => parse(readFileSync(join(folder, file), "utf8")) as Case[]);

for (const { name, lines, rules, host, alerts, events, ...want } of cases) {
  test(name, async () => {
    const seen = await readBytes(Buffer.from(lines), { rules: rules ?? "", host: host ?? false });
    const { summary } = seen;
    assert.deepEqual(
      seen.alerts.map(({ rule }) => rule),
      alerts.map((alert) => (alert as { rule?: string }).rule ?? seen.alerts[0]?.rule),
      JSON.stringify(summary.examples),
    );
    assert.partialDeepStrictEqual(seen.alerts, alerts);
    for (const alert of seen.alerts) alertSchema.parse(alert);
    for (const event of seen.events) eventSchema.parse(event);
    if (events) {
      assert.equal(seen.events.length, events.length);
      assert.partialDeepStrictEqual(seen.events, events);
    }
    if (want.passedOver) assert.deepEqual(Object.fromEntries(summary.passedOver), want.passedOver);
    assert.equal(summary.broken, want.broken ?? 0, JSON.stringify(summary.examples));
    (want.examples ?? []).forEach((text, index) => {
      const example = summary.examples[index];
      assert.ok(`${example?.line}: ${example?.reason}`.startsWith(text), `${example?.line}: ${example?.reason}`);
    });
    assert.equal(summary.falco, want.falco ?? summary.falco);
    assert.equal(summary.lost, want.lost ?? 0);
    assert.deepEqual([summary.failed, summary.faults, summary.forgotten], [[], 0, 0]);
  });
}

const lines = cases.map((one) => one.lines).join("");

test("the same lines give the same alerts, with the same ids", async () => {
  const [first, second] = [await readBytes(Buffer.from(lines)), await readBytes(Buffer.from(lines))];
  assert.deepEqual(first, second);
  const own = first.alerts.map(({ id }) => id).filter((id) => id.includes("/tetragon/"));
  assert.equal(new Set(own).size, own.length);
});

test("a line that is too long is one broken line, and the next one is read", async () => {
  const whole = lines.split("\n").find((line) => line.includes('"priority":"Notice"')) ?? "";
  const { alerts, summary } = await readBytes(Buffer.from(`{"a":"${"x".repeat(longestLine)}"}\n${whole}\n`));
  assert.deepEqual([summary.lines, summary.broken, alerts.length], [2, 1, 1]);
  assert.match(summary.examples[0]?.reason ?? "", /longer than/);
});

test("damaged lines neither raise an error nor give what is no alert or event", async () => {
  const whole = Buffer.from(lines);
  const part = fc.integer({ min: 0, max: cases.length - 1 }).map((index) => Buffer.from(cases[index]?.lines ?? ""));
  const property = fc.asyncProperty(fc.oneof(damaged(whole), part.chain(damaged)), async (bytes) => {
    const { alerts, events, summary } = await readBytes(bytes, { host: true });
    assert.deepEqual([summary.failed, summary.faults], [[], 0]);
    for (const alert of alerts) alertSchema.parse(alert);
    for (const event of events) eventSchema.parse(event);
    assert.ok(summary.examples.length <= 5 && summary.passedOver.size <= 201);
  });
  await fc.assert(property, fuzzing(150));
});

test("values of any kind in any place are lines like others", async () => {
  const odd: unknown[] = [null, -1, 1e300, 2 ** 53, "", "x".repeat(9000), [], [[]], {}, { pid: {} }, true, "\u0000"];
  const record = (line: string): unknown => JSON.parse(line.slice(line.indexOf("{")));
  const records = lines.split("\n").filter((line) => line.includes('":{') && line.endsWith("}"));
  const value = fc.constantFrom(...odd);
  const property = fc.asyncProperty(fc.constantFrom(...records), fc.nat(), value, async (line, at, put) => {
    const changed = JSON.stringify(replaced(record(line), at, put));
    const { alerts, events, summary } = await readBytes(Buffer.from(changed), { host: true });
    assert.deepEqual([summary.failed, summary.faults], [[], 0]);
    for (const alert of alerts) alertSchema.parse(alert);
    for (const event of events) eventSchema.parse(event);
  });
  await fc.assert(property, fuzzing(600));
});

/** The same with another value in one of its places. */
function replaced(value: unknown, at: number, put: unknown): unknown {
  let places = 0;
  JSON.stringify(value, (_key, inner: unknown) => (places++, inner));
  let place = 0;
  return JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (place++ === 1 + (at % places) ? put : inner)));
}
