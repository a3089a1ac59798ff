/**
 * `node e2e/console/look.ts FOLDER [PAGE…]`: pictures of every page in both languages, colours and sizes, and what axe
 * says of each.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { axeProblems, openBrowser, type Look } from "./browser.ts";
import { fill } from "./samples.ts";
import { startWorld } from "./world.ts";

const [folder = "screenshots", ...only] = process.argv.slice(2);
const looks: Look[] = [
  { name: "en-light", language: "en-US", scheme: "light", width: 1440, height: 900 },
  { name: "en-dark", language: "en-US", scheme: "dark", width: 1440, height: 900 },
  { name: "zh-light-phone", language: "zh-CN", scheme: "light", width: 390, height: 844 },
  { name: "zh-dark", language: "zh-CN", scheme: "dark", width: 1440, height: 900 },
  { name: "en-dark-phone", language: "en-US", scheme: "dark", width: 390, height: 844 },
];

await using world = await startWorld();
await fill(world);
await mkdir(folder, { recursive: true });
await using browser = await openBrowser();
const { store } = world.server;
const [alert] = (await store.alerts.list({ severity: ["critical"] }, { limit: 1 })).items;
const [foreign] = (await store.alerts.list({ rule: "custom-egress" }, { limit: 1 })).items;
const [container] = (await store.containers.list({ privileged: true }, { limit: 1 })).items;
const [image] = (await store.images.list({ q: "postgres" }, { limit: 1 })).items;
const [finding] = (await store.findings.list({ exploited: true }, { limit: 1 })).items;
const of = (id: string | undefined): string => encodeURIComponent(id ?? "");

const pages: Record<string, string> = {
  overview: "/",
  alerts: "/alerts?state=open",
  alert: `/alerts?state=open&id=${of(alert?.id)}`,
  foreign: `/alerts?id=${of(foreign?.id)}`,
  containers: "/assets/containers",
  container: `/assets/containers?id=${of(container?.id)}`,
  images: "/assets/images",
  image: `/assets/images?id=${of(image?.key)}`,
  packages: `/assets/images?view=packages&id=${of(image?.key)}`,
  findings: "/findings?state=open",
  finding: `/findings?id=${of(finding?.fingerprint)}`,
  empty: "/alerts?q=nothing-has-this-name",
  health: "/health",
  settings: "/settings",
  missing: "/no/such/page",
};

for (const look of looks) {
  const { page, close } = await browser.open(look);
  await page.goto(`${world.server.url}/login`);
  await page.getByRole("textbox").first().waitFor();
  await report(look, "login");
  await page.goto(await world.server.createLoginLink());
  await page.getByRole("navigation").first().waitFor();
  for (const [name, path] of Object.entries(pages)) {
    if (only.length > 0 && !only.includes(name)) continue;
    await page.goto(world.server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(900);
    await report(look, name);
  }
  if (only.length === 0 || only.includes("palette")) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("web");
    await page.waitForTimeout(700);
    await report(look, "palette");
    await page.keyboard.press("Escape");
    await page.waitForTimeout(300);
    await page.keyboard.press("?");
    await page.waitForTimeout(500);
    await report(look, "keys");
  }
  await close();

  async function report({ name: lookName }: Look, name: string): Promise<void> {
    await page.screenshot({ path: join(folder, `${name}-${lookName}.png`) });
    for (const problem of await axeProblems(page)) console.log(`axe ${name} ${lookName}: ${problem}`);
  }
}
console.log(browser.foreign.length === 0 ? "no request left the server" : browser.foreign.join("\n"));
for (const error of browser.errors) console.log(`console: ${error}`);
