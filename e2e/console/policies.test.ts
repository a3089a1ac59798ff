import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missing, sampleReport } from "@bulwark/testkit";
import type { Page } from "playwright-core";
import { fillPolicies } from "./policy-samples.ts";
import { assertAccessible, looks, openConsole } from "./person.ts";
import { isBuilt, startWorld, type World } from "./world.ts";

const skip = missing("chromium") || (isBuilt ? false : "needs a built console: npm run setup");
const pages = ["/policies?id=no-host-network", "/policies?view=running", "/policies?view=decisions"];

describe("policies in a person's hands", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let page: Page;
  let errors: string[];

  before(async () => {
    world = stack.use(await startWorld());
    await fillPolicies(world);
    ({ page, errors } = stack.use(await openConsole(world, 120_000)));
  });
  after(async () => stack.disposeAsync());

  for (const look of looks) {
    test(`axe finds nothing on any page (${look.scheme}, ${look.language})`, async () => {
      await assertAccessible(page, look, pages, async (path) => {
        await page.goto(world.server.url + path);
        await page.getByRole("row").nth(1).waitFor();
      });
    });
  }

  test("by keyboard to a policy: what it would deny, and what it decided; what is told stays text", async () => {
    await page.goto(world.server.url);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("y");
    const row = page.getByRole("row", { name: /^no-host-network:/ });
    await row.waitFor();
    await row.focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary");
    await panel.getByText("2 would be denied, 0 noted, 1 unknown.").waitFor();
    await panel.getByRole("link", { name: "shop/web" }).waitFor();
    await panel.getByText("the host's <b>network</b> is not yours").first().waitFor();
    await panel.getByText("hotfix for <i>INC-7</i>").first().waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
  });

  test("a mode is changed with what it means for what runs, and the change is on record", async () => {
    await page.goto(`${world.server.url}/policies?id=no-host-network`);
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Change" }).first().click();
    await panel.getByLabel("Mode").selectOption("enforce");
    await panel.getByText(/2 workloads that run would be denied .*: lab\/probe, shop\/web/).waitFor();
    await panel.getByLabel("Namespaces that it leaves out").fill("lab");
    await panel.getByText(/1 workload that runs would be denied .*: shop\/web/).waitFor();
    await panel.getByLabel("Observes until").fill("2999-01-31");
    await panel.getByRole("button", { name: "Save" }).click();
    await panel.getByText("until Jan 31, 2999").or(panel.getByText(/2999/)).first().waitFor();
    const { settings } = JSON.parse((await world.server.store.settings.get("admission.policies")) ?? "{}") as {
      settings: Record<string, { mode: string; excludedNamespaces: string[] }>;
    };
    assert.equal(settings["no-host-network"]?.mode, "enforce");
    assert.deepEqual(settings["no-host-network"]?.excludedNamespaces, ["lab"]);
    const audit = await world.server.store.audit.list({ limit: 5 });
    assert.ok(audit.items.some(({ action, target }) => action === "policy.set" && target === "no-host-network"));
  });

  test("an image shows what the image policies in force say of it", async () => {
    const { store } = world.server;
    const report = sampleReport(1);
    await store.images.put("node-a", report, Date.now());
    await page.goto(`${world.server.url}/assets/images?id=${encodeURIComponent(report.key)}`);
    const panel = page.getByRole("complementary");
    await panel.getByText("Policies", { exact: true }).click();
    const row = panel.getByRole("listitem").filter({ hasText: "Nothing <b>exploited</b>" });
    await row.getByText("Denied", { exact: true }).waitFor();
    await row.getByText(`${report.name}: has not been looked into for secrets`).waitFor();
  });

  test("a text that is wrong says where, and a good one is there once it is saved", async () => {
    await page.goto(`${world.server.url}/policies`);
    await page.getByRole("button", { name: "Write a policy" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("mine");
    const text = (expression: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: mine }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations: [{ expression: "${expression}" }]
`;
    await dialog.getByLabel("Text").fill(text("object.metadata.name !="));
    await dialog.getByRole("button", { name: "What would it deny?" }).click();
    await dialog
      .getByRole("alert")
      .getByText(/spec\.validations\[0\]\.expression/)
      .waitFor();
    await dialog.getByLabel("Text").fill(text("object.metadata.name != 'evil'"));
    await dialog.getByRole("button", { name: "What would it deny?" }).click();
    await dialog.getByText("This server reads no cluster").waitFor();
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /^mine:/ }).waitFor();
    assert.deepEqual(errors, []);
  });
});
