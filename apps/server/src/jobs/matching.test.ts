import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ImageReport } from "@bulwark/model";
import { openStore } from "@bulwark/store";
import { eventually, sampleContainer, sampleReport } from "@bulwark/testkit";
import { batchOf, post, startTestServer, type TestServer } from "../server.fixture.ts";
import { writeAdvisories } from "./advisories.fixture.ts";

const limits = { advisoryPoll: 25 };

/** An image of Alpine 3.20 with one package, and a container that runs it. */
function sampleImage(): ImageReport {
  const report = sampleReport(1);
  const version = "3.3.0-r2";
  return {
    ...report,
    inventory: {
      ...report.inventory,
      os: { id: "alpine", version: "3.20", name: "Alpine Linux v3.20" },
      packages: report.inventory.packages.map((item) => ({
        ...item,
        type: "apk",
        version,
        source: { name: "openssl", version },
      })),
    },
  };
}

async function report(server: TestServer): Promise<void> {
  const records = [
    { type: "container", container: sampleContainer(1) },
    { type: "image", report: sampleImage() },
  ] as const;
  const response = await post(`${server.url}/api/agent/v1/records`, batchOf([...records]), await server.agent());
  assert.equal(response.status, 200);
}

async function findings(server: TestServer, count: number) {
  const client = server.client(await server.login());
  return eventually(`${count} findings`, async () => {
    const { items } = await client.listFindings({ query: { state: "open" } });
    return items.length === count ? items.filter((item) => item.kind === "vulnerability") : undefined;
  });
}

async function advisories(server: TestServer, state: string) {
  const client = server.client(await server.login());
  return eventually(`advisories ${state}`, async () =>
    (await client.getHealth()).components.find((item) => item.id === "advisories" && item.state === state),
  );
}

test("findings appear when a database comes, follow every newer one, and the image is never sent again", async () => {
  await using server = await startTestServer({ limits });
  await report(server);
  const off = await advisories(server, "off");
  assert.equal(off.remedy, "bulwark db update");

  const path = join(server.data, "advisories.db");
  await writeAdvisories(path, "openssl", { "3.3.1-r1": ["CVE-2024-0001"], "3.3.0-r1": ["CVE-2023-0001"] });
  const [finding] = await findings(server, 1);
  assert.equal(finding?.vulnerability.id, "CVE-2024-0001");
  assert.equal(finding?.vulnerability.fixedVersion, "3.3.1-r1");
  assert.equal(finding?.asset.key, sampleReport(1).key);
  assert.equal(finding?.runningContainers, 1);
  await advisories(server, "ok");

  await writeAdvisories(path, "openssl", { "3.3.1-r1": ["CVE-2024-0001"], "3.3.2-r0": ["CVE-2024-0002"] });
  const both = await findings(server, 2);
  assert.deepEqual(both.map(({ vulnerability }) => vulnerability.id).sort(), ["CVE-2024-0001", "CVE-2024-0002"]);
});

test("an image that is reported while a database is there is matched at once", async () => {
  await using server = await startTestServer({ limits });
  await writeAdvisories(join(server.data, "advisories.db"), "openssl", { "3.3.1-r1": ["CVE-2024-0001"] });
  await advisories(server, "ok");
  await report(server);
  await findings(server, 1);
});

test("a broken database is said to be broken, and is no sign of a clean image", async () => {
  await using server = await startTestServer({ limits });
  const path = join(server.data, "advisories.db");
  await writeAdvisories(path, "openssl", { "3.3.1-r1": ["CVE-2024-0001"] });
  await report(server);
  await findings(server, 1);
  await writeFile(`${path}.new`, "this is no database");
  await rename(`${path}.new`, path);
  await advisories(server, "failed");
  await findings(server, 1);
});

test("what waited to be matched when the server ended is matched by the next one", async () => {
  await using first = await startTestServer({ limits });
  await writeAdvisories(join(first.data, "advisories.db"), "openssl", { "3.3.1-r1": ["CVE-2024-0001"] });
  await advisories(first, "ok");
  await first.close();
  // As if it had died between the commit and the match.
  {
    await using store = await openStore({ sqlite: join(first.data, "bulwark.db") });
    await store.ingest.write(batchOf([{ type: "image", report: sampleImage() }]), Date.now());
  }
  await using second = await startTestServer({ limits, data: first.data });
  await findings(second, 1);
});
