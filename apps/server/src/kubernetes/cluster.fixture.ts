import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeKubernetes, FakeObject } from "@bulwark/testkit";
import type { Limits } from "../limits.ts";
import { startTestServer, type TestServer } from "../server.fixture.ts";

/** As an API server has it; its uid is told by kind and name. */
export function object(
  kind: string,
  name: string,
  change: Record<string, unknown> = {},
  meta: object = {},
): FakeObject {
  const metadata = { name, uid: `uid-${kind}-${name}`, creationTimestamp: "2026-01-01T00:00:00Z", ...meta };
  return { kind, apiVersion: "v1", metadata, ...change };
}

/** A server that reads the API server as the cluster `east`. */
export async function startServerOf({ url: server }: FakeKubernetes, limits: Partial<Limits>): Promise<TestServer> {
  const data = await mkdtemp(join(tmpdir(), "bulwark-server-"));
  const kubeconfig = join(data, "kubeconfig");
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token: "t" } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const clusters = JSON.stringify([{ name: "east", kubeconfig }]);
  return startTestServer({ data, yaml: `server: { port: 0, kubernetes: { clusters: ${clusters} } }`, limits });
}

/** Asks until it is so; at most half a minute. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
