/** How long a warm `npm start` takes to the login link, how long `bulwark demo`, and what the console's first load weighs. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { median } from "./spread.ts";

const root = join(import.meta.dirname, "..");

interface Row {
  what: string;
  value: number;
  unit: string;
  limit: number;
}

export async function run(): Promise<Row[]> {
  const data = mkdtempSync(join(tmpdir(), "bulwark-start-"));
  const start = [process.execPath, "scripts/start.mjs", "--data", data, "--port", "0"];
  const warm: number[] = [];
  for (let round = 0; round < 3; round++) warm.push(await untilLink(start));
  const demo = await untilLink([join(root, "bin/bulwark"), "demo"]);
  rmSync(data, { recursive: true, force: true });
  const rows: Row[] = [
    { what: "npm start, warm, to the login link", value: median(warm), unit: "s", limit: 5 },
    { what: "bulwark demo, to the login link", value: demo, unit: "s", limit: 10 },
  ];
  const size = firstLoad();
  if (size !== undefined) rows.push({ what: "console, first load, compressed", value: size, unit: "kB", limit: 250 });
  return rows;
}

async function untilLink(command: string[]): Promise<number> {
  const [program = "", ...args] = command;
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const seconds = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("Log in")) resolve((performance.now() - began) / 1000);
    });
    child.once("exit", () => reject(new Error(`${command.join(" ")} ended before it printed a link`)));
  });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
  return seconds;
}

/** What index.html names, with what is preloaded. */
function firstLoad(): number | undefined {
  const dist = join(root, "apps/console/dist");
  if (!existsSync(join(dist, "index.html"))) return undefined;
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const files = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path ?? "");
  const bytes = [...new Set(files)].map((path) => brotliCompressSync(readFileSync(join(dist, path))).length);
  return (bytes.reduce((sum, size) => sum + size, 0) + brotliCompressSync(html).length) / 1000;
}

if (import.meta.main) {
  const rows = await run();
  for (const { what, value, unit, limit } of rows) {
    const verdict = value <= limit ? "ok  " : "MISS";
    console.log(
      `${verdict} ${what.padEnd(40)} ${value.toFixed(2).padStart(8)} ${unit}  limit ${limit}  ratio ${(value / limit).toFixed(2)}`,
    );
  }
  process.exitCode = rows.every(({ value, limit }) => value <= limit) ? 0 : 1;
}
