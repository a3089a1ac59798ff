/** Every page of the console, on the demo: nothing for axe to find, in both schemes and both languages. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, missing } from "@bulwark/testkit";
import type { Page } from "playwright-core";
import { violations } from "./axe.ts";
import { openBrowser } from "./browser.ts";
import { startProduct, type Product } from "./product.ts";

const pages = ["/", "/assets/containers", "/assets/images", "/alerts", "/findings", "/health", "/settings", "/nothing"];

describe("the console", { skip: missing("chromium") }, () => {
  const stack = new AsyncDisposableStack();
  let product: Product;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    product = stack.use(await startProduct({ command: "demo" }));
    const browser = stack.use(await openBrowser({ bypassCSP: true }));
    page = browser.page;
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(product.loginLink());
    await page.waitForURL((url) => !url.pathname.startsWith("/login"));
    await eventually(
      "both alerts of the demo",
      async () => {
        const answer = await page.evaluate(
          async () => ((await (await fetch("/api/v1/alerts")).json()) as { items: unknown[] }).items.length,
        );
        return answer >= 2 ? true : undefined;
      },
      30_000,
    );
  });
  after(async () => stack.disposeAsync());

  for (const scheme of ["light", "dark"] as const) {
    for (const path of pages) {
      test(`${path} in ${scheme}: axe finds nothing`, async () => {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        await page.goto(product.url + path);
        assert.deepEqual(await violations(page), []);
      });
    }
  }

  test("the detail of an alert: axe finds nothing, and the keyboard opens and closes it", async () => {
    await page.goto(`${product.url}/alerts`);
    await page.getByRole("row").filter({ hasText: "checkout" }).first().waitFor();
    await page.keyboard.press("j");
    await page.locator("[role=row]:focus").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary").waitFor();
    await page.waitForTimeout(500);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await page.getByRole("complementary").waitFor({ state: "hidden" });
  });

  test("in Chinese, chosen from the browser, no word of English is left in the navigation", async () => {
    await using browser = await openBrowser({ locale: "zh-CN" });
    assert.match(await language(page), /^en/);
    await browser.page.goto(`${product.url}/login`);
    await browser.page.waitForLoadState("networkidle").catch(() => undefined);
    assert.match(await language(browser.page), /^zh/);
    assert.match(await browser.page.locator("body").innerText(), /[\u4E00-\u9FFF]/);
  });

  test("no page has raised an error", () => {
    assert.deepEqual(problems, []);
  });
});

async function language(page: Page): Promise<string> {
  return String(await page.evaluate("document.documentElement.lang"));
}
