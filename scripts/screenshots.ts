/** `npm run screenshots`: the pictures of `docs/screenshots`, taken from `bulwark demo`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "../e2e/browser.ts";
import { fill } from "../e2e/console/samples.ts";
import { manyFlows, networkCluster, sendFlows, shopFlows } from "../e2e/console/network-samples.ts";
import { fillPolicies } from "../e2e/console/policy-samples.ts";
import { startWorld } from "../e2e/console/world.ts";
import { startProduct } from "../e2e/product.ts";

const target = join(import.meta.dirname, "../docs/screenshots");
mkdirSync(target, { recursive: true });

await using product = await startProduct({ command: "demo" });
await using browser = await openBrowser({
  viewport: { width: 1440, height: 900 },
  colorScheme: "light",
  reducedMotion: "reduce",
});
const { page } = browser;
await page.goto(product.loginLink());
await page.waitForURL((url) => !url.pathname.startsWith("/login"));
// The recorded attack takes its time.
await page.waitForTimeout(16_000);

async function take(name: string, path: string, prepare?: () => Promise<unknown>, base = product.url): Promise<void> {
  await page.goto(base + path);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await prepare?.();
  await page.waitForTimeout(700);
  await page.screenshot({ path: join(target, `${name}.png`) });
  console.log(`docs/screenshots/${name}.png`);
}

await take("overview", "/");
await take("assets", "/assets");
await take("images", "/assets/images");
await take("alerts", "/alerts");
await take("alert", "/alerts", async () => page.getByRole("row").filter({ hasText: "checkout" }).first().click());
await take("findings", "/findings");
await take("health", "/health");
await take("settings", "/settings");
await page.emulateMedia({ colorScheme: "dark" });
await take("overview-dark", "/");
await page.emulateMedia({ colorScheme: "light" });
// The demo's recording has no cluster in it: these are of the data that the tests of the console use.
await using world = await startWorld();
await fill(world);
await fillPolicies(world);
await page.goto(await world.server.createLoginLink());
await page.waitForURL((url) => !url.pathname.startsWith("/login"));
const { url } = world.server;
await take("clusters", "/clusters", undefined, url);
await take("cluster", "/clusters/east", undefined, url);
await take("cluster-nodes", "/clusters/east?view=nodes", undefined, url);
await take(
  "cluster-pod",
  "/clusters/east?view=pods&labels=tier%3Dweb",
  async () => page.getByRole("row").filter({ hasText: "checkout" }).first().click(),
  url,
);
await take("cluster-audit", "/clusters/east?view=audit", undefined, url);
await take("policies", "/policies?id=run-as-non-root", undefined, url);
await take("policies-running", "/policies?view=running", undefined, url);

// A shop's traffic, and that of two thousand workloads.
await using cluster = await networkCluster();
await using shop = await startWorld(0, cluster.url);
await sendFlows(shop, "east/node-a", shopFlows());
await page.goto(await shop.server.createLoginLink());
await page.waitForURL((address) => !address.pathname.startsWith("/login"));
await take("network", "/network?open=east/shop,east/data,@servers", undefined, shop.server.url);
await take(
  "network-edge",
  "/network?open=east/shop&view=table",
  async () => {
    await page.getByRole("row", { name: /shop\/checkout → pay\/api/ }).click();
    await page.getByRole("link", { name: "Map" }).click();
    await page.waitForTimeout(1500);
  },
  shop.server.url,
);
await take(
  "network-policy",
  "/network?policies=new&namespace=pay",
  async () => {
    await page.getByLabel("Text").fill(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api
  namespace: pay
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
`);
    await page.getByRole("button", { name: "What would it have denied?" }).click();
    await page.getByText(/^Would have denied \d/).waitFor();
  },
  shop.server.url,
);
await page.emulateMedia({ colorScheme: "dark" });
await page.evaluate(() => localStorage.setItem("bulwark.language", "zh"));
await take("network-dark-zh", "/network?open=east/shop", undefined, shop.server.url);
await page.evaluate(() => localStorage.removeItem("bulwark.language"));
await page.emulateMedia({ colorScheme: "light" });
await using crowd = await startWorld();
await sendFlows(crowd, "east/node-a", manyFlows(2000, 10_000));
await page.goto(await crowd.server.createLoginLink());
await page.waitForURL((address) => !address.pathname.startsWith("/login"));
await take("network-2000", "/network", async () => page.locator("svg [data-node]").first().waitFor(), crowd.server.url);
