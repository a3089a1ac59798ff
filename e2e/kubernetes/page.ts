/** The console's page of alerts, as a person watches it. */
import type { Page } from "playwright-core";

/** Logs in and opens the alerts of reverse shells, live. */
export async function watchAlerts(page: Page, { url, loginLink }: { url: string; loginLink(): string }): Promise<void> {
  await page.goto(loginLink());
  await page.waitForURL((it) => !it.pathname.startsWith("/login"));
  await page.goto(`${url}/alerts?rule=reverse-shell`);
  await page.getByText("Live", { exact: true }).waitFor();
}

/** When a row with a text is there first, in milliseconds since 1970: by the page's own clock, for this process is busy meanwhile. */
export async function seenAt(page: Page, text: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => {
    const isThere = () => [...document.querySelectorAll("[role=row]")].some((row) => row.textContent.includes(${JSON.stringify(text)}));
    const look = () => (isThere() ? resolve(Date.now()) : requestAnimationFrame(look));
    look();
  })`);
}

/** All that is shown of the alert of a row. */
export async function detailOf(page: Page, text: string, until: string): Promise<string> {
  await page.getByRole("row").filter({ hasText: text }).first().click();
  const detail = page.getByRole("complementary");
  await detail.getByText(until).waitFor();
  return detail.innerText();
}
