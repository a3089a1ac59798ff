import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, sampleContainer, sampleReport } from "@bulwark/testkit";
import { batchOf, post, startTestServer, type TestServer } from "../server.fixture.ts";
import { writeAdvisories } from "./advisories.fixture.ts";

const limits = { advisoryPoll: 25 };

async function report(server: TestServer): Promise<void> {
  const records = [
    { type: "container", container: sampleContainer(1) },
    { type: "image", report: sampleReport(1) },
  ] as const;
  const response = await post(`${server.url}/api/agent/v1/records`, batchOf([...records]), await server.agent());
  assert.equal(response.status, 200);
}

async function findings(server: TestServer, count: number) {
  const client = server.client(await server.login());
  return eventually(`${count} findings`, async () => {
    const { items } = await client.listFindings({ query: { state: "open" } });
    return items.length === count ? items : undefined;
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
  await writeAdvisories(path, [{ id: "CVE-2024-0001", source: "openssl", fixed: "3.0.13-1~deb12u1" }]);
  const [finding] = await findings(server, 1);
  assert.equal(finding?.vulnerability.id, "CVE-2024-0001");
  assert.equal(finding?.vulnerability.fixedVersion, "3.0.13-1~deb12u1");
  assert.equal(finding?.asset.key, sampleReport(1).key);
  assert.equal(finding?.runningContainers, 1);
  await advisories(server, "ok");

  await writeAdvisories(path, [
    { id: "CVE-2024-0001", source: "openssl", fixed: "3.0.13-1~deb12u1" },
    { id: "CVE-2024-0002", source: "openssl", fixed: null },
    { id: "CVE-2024-0003", source: "other", fixed: null },
  ]);
  const both = await findings(server, 2);
  assert.deepEqual(both.map(({ vulnerability }) => vulnerability.id).sort(), ["CVE-2024-0001", "CVE-2024-0002"]);
});

test("an image that is reported while a database is there is matched at once", async () => {
  await using server = await startTestServer({ limits });
  await writeAdvisories(join(server.data, "advisories.db"), [{ id: "CVE-2024-0001", source: "openssl", fixed: null }]);
  await advisories(server, "ok");
  await report(server);
  await findings(server, 1);
});

test("a broken database is said to be broken, and is no sign of a clean image", async () => {
  await using server = await startTestServer({ limits });
  const path = join(server.data, "advisories.db");
  await writeAdvisories(path, [{ id: "CVE-2024-0001", source: "openssl", fixed: null }]);
  await report(server);
  await findings(server, 1);
  await writeFile(`${path}.new`, "this is no database");
  await rename(`${path}.new`, path);
  await advisories(server, "failed");
  await findings(server, 1);
});

test("what waited to be matched when the server ended is matched by the next one", async () => {
  await using first = await startTestServer({ limits });
  await report(first);
  await first.close();
  await writeAdvisories(join(first.data, "advisories.db"), [{ id: "CVE-2024-0001", source: "openssl", fixed: null }]);
  await using second = await startTestServer({ limits, data: first.data });
  await findings(second, 1);
});
