import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { violations } from "../axe.ts";
import { openBrowser } from "../browser.ts";
import type { World } from "./world.ts";

export interface Person extends AsyncDisposable {
  /** The console's first page, logged in. */
  page: Page;
  /** What scripts of the page have thrown until now. */
  errors: string[];
}

/** A browser of its own, logged in to a world's server by a link. `timeoutMs` is how long it waits for anything. */
export async function openConsole(world: World, timeoutMs = 60_000): Promise<Person> {
  const browser = await openBrowser({ locale: "en-US", bypassCSP: true });
  const { page } = browser;
  const errors: string[] = [];
  page.setDefaultTimeout(timeoutMs);
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(await world.server.createLoginLink());
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  return { page, errors, [Symbol.asyncDispose]: async () => browser[Symbol.asyncDispose]() };
}

/** The two looks that a page is checked in: between them each scheme and each language once. */
export const looks = [
  { scheme: "light", language: "en" },
  { scheme: "dark", language: "zh" },
] as const;

/** Asserts that axe finds nothing on any of the pages in one look; `load` opens one and waits for what is on it. */
export async function assertAccessible(
  page: Page,
  { scheme, language }: (typeof looks)[number],
  paths: readonly string[],
  load: (path: string) => Promise<void>,
): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.evaluate((chosen) => localStorage.setItem("bulwark.language", chosen), language);
  for (const path of paths) {
    await load(path);
    assert.deepEqual(await violations(page), [], path);
  }
  await page.evaluate(() => localStorage.removeItem("bulwark.language"));
  await page.emulateMedia({ colorScheme: "light" });
}
