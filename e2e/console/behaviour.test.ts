import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missing, samplePod } from "@bulwark/testkit";
import type { Page, Request } from "playwright-core";
import { openBrowser } from "../browser.ts";
import { fill, reverseShell, sampleContainer } from "./samples.ts";
import { isBuilt, startWorld, type World } from "./world.ts";

const skip = missing("chromium") || (isBuilt ? false : "needs a built console: npm run setup");

/** What a person does with the console, on a real server with records as agents send them. */
describe("the console in a person's hands", { skip }, () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  let page: Page;
  /** Requests to other hosts, and errors of scripts and of the policy of the pages. */
  const foreign: string[] = [];
  const errors: string[] = [];

  before(async () => {
    world = stack.use(await startWorld());
    await fill(world);
    page = await open();
  });
  after(async () => stack.disposeAsync());

  async function open(): Promise<Page> {
    const { page, context } = stack.use(await openBrowser({ locale: "en-US" }));
    context.on("request", (request) => {
      if (new URL(request.url()).hostname !== "127.0.0.1") foreign.push(request.url());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      // Who is not logged in is told so; that is an error of no script.
      if (message.type() === "error" && !/status of 401/.test(message.text())) errors.push(message.text());
    });
    return page;
  }

  async function arrive(n: number, change: Parameters<typeof reverseShell>[3] = {}): Promise<void> {
    const container = sampleContainer(0);
    await world.send(container.node, [
      {
        type: "alert",
        alert: reverseShell(n, Date.now(), container, { id: `${container.node}/live-${n}`, ...change }),
      },
    ]);
  }

  test("a page that needs a session leads to the login, and back to where one wanted to go", async () => {
    await page.goto(`${world.server.url}/findings?severity=critical`);
    await page.waitForURL(/\/login\?next=/);
    const link = new URL(await world.server.createLoginLink());
    await page.goto(page.url() + link.hash);
    await page.waitForURL(/\/findings\?severity=critical$/);
    await page.getByRole("grid", { name: "Findings" }).getByRole("row", { name: /CVE/ }).first().waitFor();
  });

  test("a link works once, and the page says so kindly", async () => {
    const link = await world.server.createLoginLink();
    const other = await open();
    await other.goto(link);
    await other.getByRole("heading", { name: "Overview" }).waitFor();
    assert.equal(new URL(other.url()).hash, "", "the secret stays in the address");
    await other.close();
    const late = await open();
    await late.goto(link);
    await late.getByRole("alert").getByText("already been used").waitFor();
    await late.close();
  });

  test("every figure of the overview leads to the list behind it", async () => {
    await page.goto(world.server.url);
    const open = page.getByRole("region", { name: "Open alerts" });
    const critical = Number((await open.getByRole("link", { name: /^Critical/ }).innerText()).replaceAll(/\D/g, ""));
    await open.getByRole("link", { name: /^Critical/ }).click();
    await page.waitForURL(/\/alerts\?/);
    assert.match(page.url(), /state=open/);
    assert.match(page.url(), /severity=critical/);
    const grid = page.getByRole("grid", { name: "Alerts" });
    await grid
      .getByRole("row", { name: /^Critical/ })
      .first()
      .waitFor();
    assert.equal(Number(await grid.getAttribute("aria-rowcount")), critical + 1);
  });

  test("a label that changes is shown within two and a half seconds, without a reload", async () => {
    await page.goto(`${world.server.url}/clusters/east?view=pods&labels=fresh`);
    await page.getByText("No object fits here").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    // A machine that is given to others gets two more tries.
    let took = Infinity;
    for (let n = 1; n <= 3 && took >= 2500; n++) {
      const start = performance.now();
      const object = samplePod(n, { cluster: "east", name: `just-labelled-${n}`, labels: { fresh: "yes" } });
      await world.server.store.kubernetes.write("east", [{ type: "put", object }], Date.now());
      await world.server.bus.publish("live", { topic: "cluster", data: { cluster: "east", kinds: { Pod: 1 } } });
      await page.getByRole("row", { name: new RegExp(object.name) }).waitFor();
      took = performance.now() - start;
    }
    assert.ok(took < 2500, `${took} ms`);
  });

  test("an alert is there within a second, without a reload", async () => {
    await page.goto(`${world.server.url}/alerts?state=open`);
    const rows = page.getByRole("grid", { name: "Alerts" }).getByRole("row");
    await rows.nth(2).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    const start = performance.now();
    await arrive(1, { evidence: [{ key: "peer", value: "203.0.113.77:9001" }] });
    await page.getByText("203.0.113.77:9001").waitFor();
    assert.ok(performance.now() - start < 1000, `${performance.now() - start} ms`);
  });

  test("what happens again is counted in the open list and in the open alert, and nothing is fetched for it", async () => {
    const container = sampleContainer(0);
    const again = async (alert: string, count: number): Promise<void> =>
      world.send(container.node, [{ type: "repeats", repeats: [{ alert, count, last: Date.now() }] }]);
    await page.goto(`${world.server.url}/alerts?state=open`);
    await page.getByText("Live", { exact: true }).waitFor();
    const fetched: string[] = [];
    const listen = (request: Request): void => void fetched.push(new URL(request.url()).pathname);
    await arrive(4, { evidence: [{ key: "peer", value: "203.0.113.79:9003" }] });
    const rowWith = (peer: string) => page.getByRole("row").filter({ hasText: peer });
    const row = rowWith("203.0.113.79:9003");
    await row.waitFor();
    page.on("request", listen);
    await again(`${container.node}/live-4`, 2);
    await row.getByText("×3", { exact: true }).waitFor();
    for (let n = 0; n < 20; n++) await again(`${container.node}/live-4`, 1);
    await row.getByText("×23", { exact: true }).waitFor();
    page.off("request", listen);

    await row.click();
    const panel = page.getByRole("complementary");
    await panel.getByText("It happened 22 times more").waitFor();
    page.on("request", listen);
    await again(`${container.node}/live-4`, 1);
    await panel.getByText(/^It happened 23 times more · (?:now|\d sec\. ago)$/).waitFor();
    await row.getByText("×24", { exact: true }).waitFor();
    page.off("request", listen);
    assert.deepEqual(
      fetched.filter((path) => path.startsWith("/api/v1/alerts")),
      [],
    );

    // Told in one breath with the alert, before the list has it.
    const id = `${container.node}/live-5`;
    const both = reverseShell(5, Date.now(), container, {
      id,
      evidence: [{ key: "peer", value: "203.0.113.79:9004" }],
    });
    const repeats = [{ alert: id, count: 4, last: Date.now() }];
    await world.send(container.node, [
      { type: "alert", alert: both },
      { type: "repeats", repeats },
    ]);
    await rowWith("203.0.113.79:9004").getByText("×5", { exact: true }).waitFor();
  });

  test("what is being read does not move when alerts come; a note says how many there are", async () => {
    const body = page.getByRole("grid", { name: "Alerts" }).getByRole("rowgroup").nth(1);
    await body.evaluate((element) => element.scrollTo(0, 400));
    await page.waitForTimeout(300);
    const before = await body.innerText();
    await arrive(2, { evidence: [{ key: "peer", value: "203.0.113.78:9002" }] });
    await arrive(3);
    const pill = page.getByRole("button", { name: "2 new" });
    await pill.waitFor();
    const names = (text: string): string => text.replaceAll(/\d+ (?:sec|min|hr)\. ago/g, "");
    assert.equal(names(await body.innerText()), names(before));
    await pill.click();
    await page.getByText("203.0.113.78:9002").waitFor();
    assert.equal(await pill.count(), 0);
  });

  test("the keyboard alone: move, open, acknowledge, close", async () => {
    await page.goto(`${world.server.url}/alerts?state=open`);
    const rows = page.getByRole("grid", { name: "Alerts" }).getByRole("row", { name: /Shell|Program/ });
    await rows.first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Acknowledge" }).waitFor();
    const id = new URL(page.url()).searchParams.get("id") ?? "";
    await page.keyboard.press("a");
    await panel.getByText("Acknowledged").waitFor();
    assert.equal((await world.server.store.alerts.get(id))?.state, "acknowledged");
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("f");
    await page.getByRole("heading", { level: 1, name: "Findings" }).waitFor();
    await page.keyboard.press("/");
    assert.equal(await page.locator(":focus").getAttribute("type"), "search");
    await page.keyboard.type("jagk");
    assert.match(page.url(), /\/findings/, "letters typed into a field are text");
  });

  test("text from a container is never markup, and what hides in it is seen", async () => {
    const { items } = await world.server.store.alerts.list({ rule: "custom-egress" }, { limit: 1 });
    await page.goto(`${world.server.url}/alerts?id=${encodeURIComponent(items[0]?.id ?? "")}`);
    const title = page.getByRole("complementary").getByRole("heading", { level: 2 });
    await title.getByText(String.raw`\u{202e}`).waitFor();
    assert.equal(await page.locator("img").count(), 0);
    await page
      .getByRole("button", { name: /Show \d+ more characters/ })
      .first()
      .click();
    await page.getByRole("button", { name: "Show less" }).first().waitFor();
  });

  test("a rule of a node's own is shown as it was written, and that it has changed since the alert", async () => {
    const container = sampleContainer(0);
    const { node } = container;
    const now = Date.now();
    const id = `${node}/own-rule`;
    const alert = reverseShell(9000, now, container, { id, rule: "key-read", title: "Key read" });
    const tell = async (text: string, since: number): Promise<void> =>
      world.send(node, [
        { type: "rule", rule: { node, rule: "key-read", file: "/etc/own.yaml", line: 4, text, since } },
      ]);
    await tell("- rule: Key read\n  condition: fd.name = /etc/shop.key # \u202e", now - 1000);
    await world.send(node, [{ type: "alert", alert }]);
    const look = async (): Promise<void> =>
      void (await page.goto(`${world.server.url}/alerts?id=${encodeURIComponent(id)}`));
    await look();
    const detail = page.getByRole("complementary");
    await detail.getByText(String.raw`condition: fd.name = /etc/shop.key # \u{202e}`).waitFor();
    await detail.getByText("/etc/own.yaml:4").waitFor();
    const changed = detail.getByText("The rule has changed since this alert");
    assert.equal(await changed.count(), 0);
    await tell("- rule: Key read\n  condition: fd.directory = /etc", now + 1000);
    await look();
    await detail.getByText("condition: fd.directory = /etc").waitFor();
    await changed.waitFor();
  });

  test("a rule file that is broken is shown line by line where one looks after Bulwark", async () => {
    const { node } = sampleContainer(0);
    const reason = "own.yaml:2:78: error LOAD_ERR_COMPILE_CONDITION: unknown field\n  | proc.nam = x\n  | ^";
    const rules = { id: "rules", node, state: "degraded", summary: "175 rules", reason, remedy: "mend it" } as const;
    await world.send(node, [{ type: "health", components: [{ ...rules, counters: {}, updatedAt: Date.now() }] }]);
    await page.goto(`${world.server.url}/health`);
    const told = page.getByText("LOAD_ERR_COMPILE_CONDITION");
    await told.waitFor();
    assert.equal(await told.innerText(), reason);
  });

  test("alerts are filtered by any rule that raised some, and its title is text too", async () => {
    await page.goto(`${world.server.url}/alerts`);
    await page
      .getByRole("row", { name: /onerror/ })
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Rule", exact: true }).click();
    await page
      .getByRole("menuitemradio", { name: String.raw`<img src=x onerror=alert(1)> odd \u{202e}egress` })
      .click();
    await page.waitForURL(/rule=custom-egress/);
    await page
      .getByRole("row", { name: /Shell connected/ })
      .first()
      .waitFor({ state: "hidden" });
    // Between the two lists there may be none for a moment.
    await page
      .getByRole("row", { name: /onerror/ })
      .first()
      .waitFor();
  });

  test("a finding is deferred, and only pages of the web are links", async () => {
    await page.goto(`${world.server.url}/findings?state=open&severity=critical`);
    await page
      .getByRole("row", { name: /^Critical/ })
      .first()
      .click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "Defer" }).click();
    await panel.getByRole("button", { name: "Reopen" }).waitFor();
    await panel.getByText("javascript:alert(1)").waitFor();
    assert.equal(await page.locator("a[href^='javascript']").count(), 0);
    for (const link of await panel.locator("a[target=_blank]").all()) {
      assert.match((await link.getAttribute("rel")) ?? "", /noopener/);
    }
  });

  test("lists grow by pages, and only what is in view is in the page", async () => {
    await page.goto(`${world.server.url}/findings`);
    const grid = page.getByRole("grid", { name: "Findings" });
    await grid.getByRole("row", { name: /CVE/ }).first().waitFor();
    const total = (await world.server.store.findings.list({}, { limit: 500 })).items.length;
    assert.ok(total > 300, "too few findings to page through");
    const body = grid.getByRole("rowgroup").nth(1);
    for (let n = 0; n < 20 && (await grid.getAttribute("aria-rowcount")) === "-1"; n++) {
      await body.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await page.waitForTimeout(150);
    }
    const shown = Number(await grid.getAttribute("aria-rowcount")) - 1;
    assert.ok(shown >= total, `${shown} of ${total}`);
    assert.ok((await grid.getByRole("row").count()) < 80);
  });

  test("the palette finds containers and goes there", async () => {
    await page.keyboard.press("Control+k");
    const input = page.getByRole("combobox");
    await input.fill("postgres");
    await page
      .getByRole("option", { name: /postgres/ })
      .first()
      .waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/assets\/containers\?/);
    await page
      .getByRole("complementary")
      .getByRole("heading", { level: 2, name: /postgres/ })
      .waitFor();
  });

  test("a token's secret is shown once", async () => {
    await page.goto(`${world.server.url}/settings`);
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("ci");
    await dialog.getByRole("button", { name: "New token" }).click();
    const secret = await dialog.locator("code").innerText();
    const answer = await fetch(`${world.server.url}/api/v1/overview`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    assert.equal(answer.status, 200);
    await dialog.getByRole("button", { name: "I have copied it" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.doesNotMatch(await page.content(), new RegExp(secret.slice(-20)));
    await page.getByRole("button", { name: "Revoke ci" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("There are no tokens.").waitFor();
  });

  test("language and colours are chosen and kept", async () => {
    await page.getByText("简体中文").click();
    await page.getByRole("heading", { level: 1, name: "设置" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "设置" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hans");
    await page.getByText("深色").click();
    assert.equal(await page.locator("html").getAttribute("data-mantine-color-scheme"), "dark");
    await page.getByText("English").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
  });

  test("an alert is in the reader's language, with what was counted in it", async () => {
    await arrive(71, {
      rule: "network-port-scan",
      title: "Ports of a server are tried one after the other",
      description: "37 different ports of shop/api refused or did not answer within an hour; ordinary is less than 15",
      techniques: ["T1046"],
      evidence: [
        { key: "peer", value: "10.42.0.9:8080" },
        { key: "result", value: "timed-out" },
      ],
    });
    await page.getByText("简体中文").click();
    await page.getByRole("heading", { level: 1, name: "设置" }).waitFor();
    await page.goto(`${world.server.url}/alerts?id=${encodeURIComponent(`${sampleContainer(0).node}/live-71`)}`);
    for (const text of [
      /寻找可利用的服务。一小时内 shop\/api 有 37 个不同的端口拒绝或没有应答/,
      "连接结果",
      "超时无应答",
      "网络服务发现",
      /bulwark network watch/,
    ]) {
      await page.getByText(text).first().waitFor();
    }
    await page.goto(`${world.server.url}/settings`);
    await page.getByText("English").click();
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
  });

  test("nothing is asked of another host, and the policy of the pages is never broken", () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(errors, []);
  });

  test("a cut is said, and whoever is logged out is led to the login", async () => {
    await page.goto(`${world.server.url}/alerts`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL(/\/login/);
    await page.goto(await world.server.createLoginLink());
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    // The session ends behind the page's back.
    await world.server.store.accounts.deleteSessions("admin", "");
    // What the page asks by itself may lead it there before: then there is no link any more.
    await page.evaluate(`document.querySelector('a[href="/assets"]')?.click()`);
    await page.waitForURL(/\/login\?next=\/(assets.*)?$/);
    await page.goto(`${world.server.url}/assets`);
    await page.waitForURL(/\/login\?next=\/assets/);
    await page.goto(await world.server.createLoginLink());
    await page.getByText("Live", { exact: true }).waitFor();
    await page.waitForTimeout(2500);
    await world.server.close();
    await page.getByText("The connection to the server is cut.", { exact: false }).waitFor({ timeout: 30_000 });
    await page.getByText("Offline", { exact: true }).waitFor();
    // The pages are there without the server; only what they would show is not.
    await page.getByRole("navigation").getByRole("link", { name: "Health" }).click();
    await page.getByRole("heading", { level: 1, name: "Health" }).waitFor();
    await page.getByText("The server does not answer").waitFor({ timeout: 30_000 });
  });
});
