import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { ContainerRegistry } from "@bulwark/containers";
import { record, type AgentRecord, type ImageReport, type Scan } from "@bulwark/model";
import { createLogger } from "@bulwark/telemetry";
import { eventually, fakeClamd, sampleContainer } from "@bulwark/testkit";
import { ImageScanner } from "./image-scan.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bulwark-scan-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

// In pieces, so that nobody takes this file for what it tests with.
const eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE", "!$H+H*"].join("");
const credential = ["AKIA", "Z7QWERTY5ASDFG2H"].join("");

function plant(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function start(memory: number, clamd?: string): { scanner: ImageScanner; reports: ImageReport[]; scans: Scan[] } {
  const reports: ImageReport[] = [];
  const scans: Scan[] = [];
  const mounts = ["/mounted", "/srv/secret"].map((target) => ({
    ...{ source: "/elsewhere", target, type: "bind", readOnly: false },
  }));
  const container = sampleContainer(1, { pid: null, rootfs: folder, mounts });
  const registry = {
    containers: () => [container],
    contentOf: () => undefined,
    images: async () => [],
    on: () => () => undefined,
  } as unknown as ContainerRegistry;
  const log = createLogger("test");
  log.level = "silent";
  const emit = (records: AgentRecord[]): void => {
    for (const item of records) {
      record.parse(item);
      if (item.type === "image") reports.push(item.report);
      if (item.type === "scan") scans.push(item.scan);
    }
  };
  const cache = join(folder, "..", `${folder}-cache`);
  const scanner = new ImageScanner({ node: "here", registry, cache, memory, clamd, all: true, log, emit });
  return { scanner, reports, scans };
}

test("a scan finds packages, masked secrets and malware, not what is mounted, and says how it got on", async () => {
  const socket = `${folder}.sock`;
  await using _clamd = await fakeClamd(socket, (content) =>
    content.includes("openssl") ? "stream: Unix.Test-1 FOUND" : "stream: OK",
  );
  plant("etc/os-release", 'ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n');
  plant("lib/apk/db/installed", "P:openssl\nV:3.3.0-r2\nA:x86_64\no:openssl\nL:Apache-2.0\n\n");
  plant("srv/app/.env", `AWS_ACCESS_KEY_ID=${credential}\n`);
  plant("srv/x.com", eicar);
  plant("srv/secret", `AWS_ACCESS_KEY_ID=${credential}\n`);
  plant("mounted/.env", `AWS_ACCESS_KEY_ID=${credential} openssl\n`);
  const { scanner, reports, scans } = start(2e9, socket);
  await using _ = scanner;
  await scanner.look();
  const report = await eventually("the report", () => reports[0], 120_000);
  assert.equal(report.inventory.packages[0]?.name, "openssl");
  assert.deepEqual(
    report.secrets?.map(({ location }) => location),
    ["/srv/app/.env"],
  );
  assert.ok(!JSON.stringify(report).includes(credential), "a credential leaves the node");
  assert.deepEqual(
    report.malware?.map(({ location, engine }) => `${engine} ${location}`),
    ["rule /srv/x.com", "clamd /lib/apk/db/installed"],
  );
  // A container's root has no configuration that could be checked.
  assert.equal(report.checks, null);
  await eventually("the end is told", () => (scans.at(-1)?.state === "done" ? true : undefined));
  assert.deepEqual(
    [...new Set(scans.map(({ state, origin }) => `${state} ${origin}`))],
    ["waiting running", "running running", "done running"],
  );
});

test("a scan that needs more memory than it may is ended, says so, and waits to be tried again", async () => {
  plant("etc/os-release", "ID=alpine\n");
  const { scanner, reports, scans } = start(30e6);
  await using _ = scanner;
  await scanner.look();
  const failed = await eventually("the failure", () => scans.find(({ reason }) => reason !== ""), 120_000);
  assert.match(failed.reason, /memory/);
  assert.equal(failed.state, "waiting");
  assert.ok((failed.nextAt ?? 0) > Date.now());
  // The image is known, and not for a clean one.
  assert.equal(reports[0]?.inventory.extractors[0]?.state, "failed");
  assert.equal(reports[0]?.secrets, null);
});
