import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { loadLibrary } from "@bulwark/benchmark";
import type { BenchmarkReport, CheckState } from "@bulwark/model";
import { missing } from "@bulwark/testkit";
import type { Page } from "playwright-core";
import { assertAccessible, looks, openConsole } from "./person.ts";
import { isBuilt, startWorld, type World } from "./world.ts";

const skip = missing("chromium") || (isBuilt ? false : "needs a built console: npm run setup");
const aslr = "kernel-parameter-aslr";
const pages = [
  "/posture",
  "/posture?set=kernel",
  `/posture?set=kernel&id=${aslr}`,
  "/posture?set=kernel&matrix=true",
  "/posture?view=assets",
  `/posture?asset=host/node-1&id=${aslr}`,
  "/posture?view=exceptions",
];

/** What an agent would tell of a host of which every fifth check fails, and every seventh could not be looked at. */
function reportOf(name: string, shift: number): BenchmarkReport {
  const checks = loadLibrary().checks.host.filter(({ in: sets }) => "kernel" in sets || "cis-debian-12" in sets);
  const results = checks.map((check, index) => {
    const at = index + shift;
    const state: CheckState = check.id === aslr || at % 5 === 0 ? "fail" : at % 7 === 0 ? "unknown" : "pass";
    return {
      ...{ check: check.id, title: check.title, state, severity: check.severity, subject: name },
      ...{ reason: `it is <b>${index}</b>`, evidence: [{ key: "seen", value: String(index) }], remedy: check.remedy },
      line: null,
    };
  });
  const sets = ["kernel", "cis-debian-12"].map((id) => ({ id, applies: true, reason: "" }));
  return { subject: { kind: "host", name }, collectedAt: Date.now(), durationMs: 900, sets, results };
}

describe("posture in a person's hands", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let page: Page;
  let errors: string[];

  before(async () => {
    world = stack.use(await startWorld());
    for (const [index, name] of ["node-1", "node-2"].entries()) {
      await world.send(name, [{ type: "benchmark", report: reportOf(name, index) }]);
    }
    ({ page, errors } = stack.use(await openConsole(world)));
  });
  after(async () => stack.disposeAsync());

  for (const look of looks) {
    test(`axe finds nothing on any page (${look.scheme}, ${look.language})`, async () => {
      await assertAccessible(page, look, pages, async (path) => {
        await page.goto(world.server.url + path);
      });
    });
  }

  test("by keyboard: benchmark, check, evidence; what a host says stays text", async () => {
    await page.goto(world.server.url);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByRole("row", { name: "Kernel of a container host" }).waitFor();
    await page.getByRole("row", { name: "Kernel of a container host" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/set=kernel/);
    await page.getByRole("searchbox", { name: "Search number, title, topic" }).fill("random");
    await page.getByRole("row", { name: /addresses of programs are random/i }).click();
    const panel = page.getByRole("complementary");
    await panel.getByText(/^it is <b>\d+<\/b>$/).waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
  });

  test("an exception has where, why and until when, and ends", async () => {
    await page.goto(`${world.server.url}/posture?set=kernel&id=${aslr}`);
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Make an exception" }).click();
    await panel.getByLabel("Reason").fill("a lab");
    await panel.getByRole("button", { name: "Make an exception" }).click();
    await panel.getByText("a lab").waitFor();
    await panel.getByRole("button", { name: /Excepted/ }).waitFor();
    await panel.getByRole("button", { name: "End it" }).click();
    await panel.getByText("a lab").waitFor({ state: "detached" });
  });

  test("results are a file in three formats", async () => {
    await page.goto(`${world.server.url}/posture?set=kernel`);
    for (const format of ["CSV", "HTML", "JSON"]) {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name: format, exact: true }).click();
      const file = readFileSync(await (await coming).path(), "utf8");
      assert.ok(file.includes(aslr), format);
    }
    assert.deepEqual(errors, []);
  });
});
