import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { parseJoinToken } from "@bulwark/identity";
import { missing } from "@bulwark/testkit";
import type { Page } from "playwright-core";
import { fill, healthOf } from "./samples.ts";
import { assertAccessible, looks, openConsole } from "./person.ts";
import { isBuilt, startWorld, type World } from "./world.ts";

const skip = missing("chromium") || (isBuilt ? false : "needs a built console: npm run setup");
const pages = [
  "/clusters",
  "/clusters/east",
  "/clusters/west",
  "/clusters/east?view=pods&id=uid-1",
  "/clusters/east?view=namespaces",
  "/clusters/east?view=nodes",
  "/clusters/east?view=objects&labels=a%20b",
  "/clusters/east?view=audit",
];

describe("clusters in a person's hands", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let page: Page;
  let errors: string[];

  before(async () => {
    world = stack.use(await startWorld());
    await fill(world);
    await world.send("east/node-a", [{ type: "health", components: healthOf("node-a", 0) }]);
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

  test("by keyboard alone: cluster, namespace, workload, pod, container", async () => {
    await page.goto(world.server.url);
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.getByRole("row", { name: "east, OK" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/clusters\/east$/);
    await page.getByRole("link", { name: "Namespaces" }).click();
    await page.getByRole("row", { name: /^Namespace, shop/ }).focus();
    for (let n = 0; n < 3; n++) await page.keyboard.press("j");
    await page.keyboard.press("o");
    await page.waitForURL(/namespace=shop/);
    const workload = page.getByRole("row", { name: /^Deployment, checkout/ });
    await workload.waitFor();
    await workload.click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: /\d+ pods?$/ }).click();
    await page.waitForURL(/view=pods.*owner=|owner=.*view=pods/);
    const path = page.getByRole("navigation", { name: "Where you are" });
    await path.getByText("Deployment/checkout").waitFor();
    await page
      .getByRole("row", { name: /^Pod, checkout/ })
      .first()
      .click();
    await panel.getByText("Deployment/checkout").waitFor();
    await panel.getByRole("link", { name: "checkout", exact: true }).click();
    await page.waitForURL(/\/assets\/containers\?/);
    await page.getByRole("complementary").getByRole("heading", { level: 2, name: "checkout" }).waitFor();
  });

  test("objects are found by label, a label leads to its like, and a selector that is none is said to be", async () => {
    await page.goto(
      `${world.server.url}/clusters/east?view=pods&labels=${encodeURIComponent("tier in (web),!canary")}`,
    );
    const grid = page.getByRole("grid", { name: "Pods" });
    await grid.getByRole("row", { name: /^Pod/ }).first().waitFor();
    const web = Number(await grid.getAttribute("aria-rowcount")) - 1;
    const all = (await world.server.store.kubernetes.count("east"))["Pod"] ?? 0;
    assert.ok(web > 0 && web < all, `${web} of ${all}`);
    await grid.getByRole("row", { name: /^Pod/ }).first().click();
    await page.getByRole("complementary").getByRole("button", { name: "tier=web" }).click();
    await page.waitForURL(/labels=tier/);
    await page.getByRole("searchbox", { name: /^By label/ }).fill("a b");
    await page
      .getByText(/label selector, character 3/)
      .first()
      .waitFor();
  });

  test("why a node is not watched, and why a cluster may be out of date, is on the page", async () => {
    await page.goto(`${world.server.url}/clusters/east?view=nodes`);
    await page
      .getByRole("row", { name: /edge-02/ })
      .getByText("No agent pod")
      .waitFor();
    await page
      .getByRole("row", { name: /node-a/ })
      .getByText("Watched")
      .waitFor();
    await page.goto(`${world.server.url}/clusters/west`);
    await page.getByRole("status").getByText("does not answer").waitFor();
  });

  test("a cluster is added by a token that is shown once, and is good for that cluster", async () => {
    await page.goto(`${world.server.url}/clusters`);
    await page.getByRole("button", { name: "Add a cluster" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("a b");
    await dialog.getByRole("button", { name: "Make a token" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByRole("textbox", { name: "Name" }).fill("north");
    await dialog.getByRole("button", { name: "Make a token" }).click();
    await dialog.getByText(/bulwark cluster --server https:\/\/\S+:8444 --cluster north/).waitFor();
    const token = (await dialog.locator("code").first().textContent()) ?? "";
    const known = await world.server.store.agents.joinToken(parseJoinToken(token).id, Date.now());
    assert.deepEqual([known?.cluster, known?.node], ["north", null]);
  });

  test("no script failed", () => assert.deepEqual(errors, []));
});
