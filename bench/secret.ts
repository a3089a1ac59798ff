/**
 * How fast credentials are looked for, beside `grep` with the same literals, which finds only where one might be. The
 * text is code and data of this checkout's packages. A missed limit fails the run.
 *
 *     node scripts/node.mjs bench/secret.ts
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findSecrets, loadKinds } from "@bulwark/secret";

const size = 4_000_000;
/** MB for each second of the processor's time. */
const limit = 20;

const kinds = loadKinds();
const text = sample();
const rows = [
  { what: "code of packages", value: rate(text), kept: rate(text) >= limit },
  { what: "one anchor over and over (hostile)", value: rate(Buffer.from("password = ".repeat(100_000))), kept: true },
];
for (const { what, value, kept } of rows)
  console.log(`${kept ? "  ok  " : "  MISS"} ${value.toFixed(0).padStart(5)} MB/s  ${what}`);
console.log(`       ${grep().toFixed(0).padStart(5)} MB/s  grep -i -c -F with the same literals`);
// Twice as much must take about twice as long, whatever the bytes are.
const growth = time(Buffer.from("ghp_ ".repeat(40_000))) / time(Buffer.from("ghp_ ".repeat(20_000)));
console.log(
  `${growth < 4 ? "  ok  " : "  MISS"} ${growth.toFixed(1).padStart(5)} times for twice as many candidates, of at most 4`,
);
process.exitCode = rows.every(({ kept }) => kept) && growth < 4 ? 0 : 1;

function sample(): Buffer {
  const files = globSync("node_modules/{@types,re2js,yaml,zod,echarts}/**/*.{js,ts,json}", {
    cwd: join(import.meta.dirname, ".."),
  });
  const parts: Buffer[] = [];
  let length = 0;
  for (const file of files) {
    const path = join(import.meta.dirname, "..", file);
    if (length >= size) break;
    if (!statSync(path).isFile()) continue;
    const content = readFileSync(path);
    parts.push(content);
    length += content.length;
  }
  return Buffer.concat(parts).subarray(0, size);
}

function rate(content: Buffer): number {
  return content.length / 1e6 / time(content);
}

/** Seconds of the processor, the better of two: others use the machine too. */
function time(content: Buffer): number {
  return Math.min(
    ...[1, 2].map(() => {
      const before = process.cpuUsage();
      findSecrets(kinds, content, "/app/code.js");
      return process.cpuUsage(before).user / 1e6;
    }),
  );
}

function grep(): number {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-secret-"));
  try {
    writeFileSync(join(folder, "text"), text);
    writeFileSync(
      join(folder, "literals"),
      kinds.search.candidates.map(({ literal }) => literal.toString("latin1")).join("\n"),
    );
    const before = process.hrtime.bigint();
    spawnSync("grep", ["-a", "-i", "-c", "-F", "-f", join(folder, "literals"), join(folder, "text")], {
      env: { LC_ALL: "C", PATH: process.env["PATH"] },
    });
    return text.length / 1e6 / (Number(process.hrtime.bigint() - before) / 1e9);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
