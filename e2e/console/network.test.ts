import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, missing } from "@bulwark/testkit";
import type { Locator, Page } from "playwright-core";
import { flowHour, networkCluster, sendFlows, shopFlows, workload } from "./network-samples.ts";
import { assertAccessible, looks, openConsole } from "./person.ts";
import { isBuilt, startWorld, type World } from "./world.ts";

const skip = missing("chromium") || (isBuilt ? false : "needs a built console: npm run setup");

describe("the network in a person's hands", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let page: Page;
  let errors: string[];

  before(async () => {
    const { url } = stack.use(await networkCluster());
    world = stack.use(await startWorld(0, url));
    ({ page, errors } = stack.use(await openConsole(world)));
  });
  after(async () => stack.disposeAsync());

  const node = (name: string | RegExp): Locator => page.locator("svg").getByRole("button", { name });

  /** Waits until it is on the page; what was there instead is said. */
  async function there(what: Locator, timeout = 60_000): Promise<void> {
    try {
      await what.first().waitFor({ timeout });
    } catch (error) {
      throw new Error(`${page.url()}: ${await page.locator("body").innerText()}`, { cause: error });
    }
  }

  /** Loads a page until something is on it. */
  async function load(path: string, what: Locator): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await page.goto(world.server.url + path);
      try {
        await there(what, 30_000);
        return;
      } catch (error) {
        if (attempt === 3) throw error;
      }
    }
  }

  test("while nobody tells of flows, the page says what would turn them on", async () => {
    await load("/network", page.getByText("agent: { network: { flows: true } }"));
  });

  test("what agents tell is on the map, without asking for it", async () => {
    await sendFlows(world, "east/node-a", shopFlows());
    await there(node(/^shop, /));
  });

  test("by keyboard: from a namespace to a workload, to what it talks to, and back", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await node(/^shop, /).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/open=east\/shop/);
    await node("cart").focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary");
    await panel.getByRole("heading", { name: "Whom it asks" }).waitFor();
    await panel.getByRole("button", { name: /shop\/cart → data\/redis/ }).click();
    await panel.getByRole("cell", { name: "6379/TCP" }).waitFor();
    await panel.getByText("Connections over time").waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
  });

  test("nobody moves because another comes", async () => {
    await load("/network?open=east/shop", node("cart"));
    const places = async (): Promise<Map<string, string>> => {
      const found = await page.evaluate<[string, string][]>(
        `[...document.querySelectorAll("svg [data-node]")].map((one) => [one.dataset.node, one.closest("[transform]").getAttribute("transform")])`,
      );
      return new Map(found);
    };
    const first = await places();
    await sendFlows(world, "east/node-a", [flowHour(workload("aaa/new"), workload("shop/aaa-new"), 80, 0)]);
    // Another time is asked for anew.
    await page.getByRole("button", { name: "Time" }).click();
    await page.getByRole("menuitemradio", { name: "Last hour" }).click();
    await there(node(/^aaa, /));
    await there(node(/^aaa-new/));
    const stayed = [...(await places())].filter(([id]) => first.has(id));
    assert.ok(stayed.length > 5, `${stayed.length} are there as before`);
    for (const [id, place] of stayed) assert.equal(place, first.get(id), id);
  });

  test("filters stand in the address, and map and table say the same", async () => {
    await page.goto(`${world.server.url}/network`);
    await page.getByRole("button", { name: "Verdict" }).click();
    await page.getByRole("menuitemradio", { name: "Denied" }).click();
    await page.waitForURL(/verdict=denied/);
    await page.getByText("2 pairs", { exact: true }).waitFor();
    await node(/^lab, /).waitFor();
    assert.equal(await node(/^shop, /).count(), 0);
    await page.getByRole("link", { name: "Table" }).click();
    await page.getByRole("row", { name: /lab\/probe → data\/postgres, 5432\/TCP: Denied/ }).waitFor();
    assert.equal(await page.getByRole("row").count(), 3, "a head and two rows");
  });

  test("on a large screen the table stands below the map, which is seen whole as before", async () => {
    const before = page.viewportSize();
    await page.setViewportSize({ width: 1680, height: 900 });
    await load("/network?open=east/shop,east/data", node(/^lab, /));
    const whole = async (): Promise<boolean> =>
      page.evaluate(`(() => {
        const boxOf = (element) => element.getBoundingClientRect();
        const nodes = [...document.querySelectorAll("svg [data-node]")];
        const map = boxOf(nodes[0].ownerSVGElement);
        return nodes.map(boxOf).every(({ left, right, top, bottom }) =>
          left >= map.left && right <= map.right && top >= map.top && bottom <= map.bottom);
      })()`);
    assert.ok(await whole(), "the map alone");
    await page.getByRole("link", { name: "Both" }).click();
    await there(page.getByRole("row", { name: /shop\/cart → data\/redis/ }));
    // The map hears of its size when the browser has laid it out.
    await eventually("the map above the table", async () => (await whole()) || undefined, 30_000);
    if (before) await page.setViewportSize(before);
  });

  test("a workload of which nothing runs is not cut from the network, and that is said", async () => {
    await page.goto(`${world.server.url}/network?open=east/shop`);
    await node("cart").click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Cut from the network…" }).click();
    const dialog = page.getByRole("dialog", { name: /shop\/cart/ });
    await dialog.getByRole("button", { name: "The whole workload, and pods that come later" }).click();
    assert.equal(await dialog.getByRole("button", { name: "Do it" }).isDisabled(), true, "before it was tried");
    await dialog.getByLabel("Reason").fill("odd traffic");
    await dialog.getByRole("button", { name: "What would it do?" }).click();
    await dialog.getByText(/there is no workload shop\/cart/).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });

  test("policies are learned, their effect is seen before they are published, observed, and taken back", async () => {
    await page.goto(`${world.server.url}/network?cluster=east&namespace=pay&policies=new`);
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Learn from what was seen" }).click();
    await panel.getByText(/^Would have denied none of [\d,]+ connections/).waitFor();
    const text = panel.getByLabel("Text");
    assert.match(await text.inputValue(), /kind: NetworkPolicy/);
    await text.fill(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api, namespace: pay }
spec: { podSelector: {}, policyTypes: [Ingress] }
`);
    assert.equal(await panel.getByRole("button", { name: "Observe it" }).count(), 0, "not before its effect was seen");
    await panel.getByRole("button", { name: "What would it have denied?" }).click();
    await panel.getByText(/^Would have denied [\d,]+ of [\d,]+ connections/).waitFor();
    await panel
      .getByText(/shop\/checkout → pay\/api 8443\/TCP/)
      .first()
      .waitFor();
    await page.locator("svg path[data-verdict=would]").first().waitFor({ state: "attached" });
    await panel.getByLabel("Reason").fill("a try");
    await panel.getByRole("button", { name: "Observe it" }).click();
    await panel.getByText("Observing", { exact: true }).waitFor();
    await panel.getByRole("button", { name: "Stop observing" }).click();
    await panel.getByText("Undone", { exact: true }).first().waitFor();
    const audit = await world.server.store.audit.list({ limit: 10 });
    assert.ok(
      audit.items.some(({ action }) => action === "network-policy.undo"),
      "it is on record",
    );
  });

  const pages = {
    en: ["/network?open=east/shop&node=east/shop%20shop/web", "/network?policies=new"],
    zh: ["/network?open=east/shop", "/network?view=table"],
  };
  for (const look of looks) {
    test(`axe finds nothing on any page (${look.scheme}, ${look.language})`, async () => {
      await assertAccessible(page, look, pages[look.language], async (path) =>
        load(path, page.getByRole("row").nth(1).or(page.locator("svg [data-node]").first())),
      );
    });
  }

  test("no page has raised an error", () => {
    assert.deepEqual(errors, []);
  });
});
