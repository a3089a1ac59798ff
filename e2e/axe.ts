import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** In the page: two frames after what moves has arrived. What moves without end is not waited for. */
const comeToRest = `(async () => {
  const moving = document.getAnimations().filter((it) => it.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(moving.map(({ finished }) => finished));
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
})()`;

/** In the page: all rules. What passed, and a selector for each element, is not told: that takes longer than the rules. */
const look = `axe.run({ resultTypes: ["violations"], selectors: false }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ": " + (nodes[0] ? nodes[0].html.slice(0, 200) : "")))`;

/** What axe finds wrong with a page that has come to rest, each with an element: the context needs `bypassCSP`. */
export async function violations(page: Page): Promise<string[]> {
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await page.evaluate(comeToRest);
  await page.evaluate(axe);
  return page.evaluate<string[]>(look);
}
