import { createRequire } from "node:module";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

export interface Look {
  name: string;
  language: string;
  scheme: "light" | "dark";
  width: number;
  height: number;
}

export interface Browser extends AsyncDisposable {
  open: (look: Look) => Promise<{ page: Page; close: () => Promise<void> }>;
  /** Requests to other hosts than this machine's. */
  foreign: string[];
  /** Errors of scripts and of the policy of the pages. */
  errors: string[];
}

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The system's Chromium, each look with a profile of its own. */
export async function openBrowser(): Promise<Browser> {
  const profiles = await mkdtemp(join(tmpdir(), "bulwark-chromium-"));
  const foreign: string[] = [];
  const errors: string[] = [];
  let count = 0;
  return {
    foreign,
    errors,
    async open({ language, scheme, width, height }) {
      const context = await chromium.launchPersistentContext(join(profiles, String(count++)), {
        executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
        headless: true,
        args: flags,
        locale: language,
        colorScheme: scheme,
        viewport: { width, height },
      });
      context.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (protocol.startsWith("http") && hostname !== "127.0.0.1") foreign.push(request.url());
      });
      context.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      context.on("weberror", (error) => errors.push(String(error.error())));
      const page = context.pages()[0] ?? (await context.newPage());
      return { page, close: async () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await rm(profiles, { recursive: true, force: true });
    },
  };
}

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One line for each thing that axe finds against WCAG 2.2 A and AA, or its best practices. */
export async function axeProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    interface Axe {
      run: (options: object) => Promise<{ violations: Violation[] }>;
    }
    interface Violation {
      id: string;
      help: string;
      nodes: { target: unknown[]; failureSummary: string }[];
    }
    const { axe } = globalThis as unknown as { axe: Axe };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return (await axe.run({ runOnly: { type: "tag", values: tags } })).violations;
  });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => {
      const why = failureSummary.split("\n").slice(1, 3).join(" ").trim();
      return `${id}: ${help}: ${target.join(" ")} ${why.slice(0, 220)}`;
    }),
  );
}
