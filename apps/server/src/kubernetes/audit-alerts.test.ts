import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "@bulwark/testkit";
import { startTestServer } from "../server.fixture.ts";

const ruleOf = (name: string, condition: string): string =>
  `- {rule: ${name}, desc: d, output: "%ka.target.name", priority: INFO, source: k8s_audit, condition: ${condition}}\n`;
const first = ruleOf("First", "ka.target.resource = configmaps and ka.verb = get");
const second = ruleOf("Second", "ka.target.resource = configmaps and ka.verb = update");

test("rules for audit logs are read again when they change; broken ones take nothing from those that run", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-audit-rules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "own.yaml");
  writeFileSync(file, first);
  await using server = await startTestServer({
    yaml: `server: { port: 0, kubernetes: { rules: { files: ["${file}"] }, clusters: [{ name: west, kubeconfig: "${folder}/none" }] } }`,
  });
  const person = server.client(await server.login());
  const { secret } = await person.createAuditToken({ params: { id: "west" }, body: { days: 1 } });
  const api = server.client({ authorization: `Bearer ${secret}` });
  let number = 0;
  /** Titles of the alerts that a request raised. */
  const asked = async (verb: string): Promise<string[]> => {
    const name = `object-${++number}`;
    const item = {
      ...{ kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Metadata", stage: "ResponseComplete", verb },
      auditID: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      requestURI: `/api/v1/namespaces/shop/configmaps/${name}`,
      user: { username: "jane", groups: [] },
      sourceIPs: ["192.0.2.7"],
      objectRef: { resource: "configmaps", namespace: "shop", name, apiVersion: "v1" },
      responseStatus: { code: 200 },
      requestReceivedTimestamp: new Date().toISOString(),
      stageTimestamp: new Date().toISOString(),
    };
    await api.ingestAudit({ body: { kind: "EventList", apiVersion: "audit.k8s.io/v1", items: [item] } });
    const { items } = await person.listAlerts({ query: {} });
    return items.flatMap(({ title, request }) => (request?.name === name ? [title] : []));
  };
  const health = async (state: string) =>
    eventually(
      `the rules are ${state}`,
      async () => {
        const { components } = await person.getHealth();
        return components.find((part) => part.id === "audit-rules" && part.state === state);
      },
      20_000,
    );
  assert.deepEqual([await asked("get"), await asked("update")], [["First"], []]);
  await health("ok");
  writeFileSync(file, second + ruleOf("Broken", "ka.no = such"));
  assert.match((await health("degraded")).reason, /own\.yaml:2:\d+: error [^]*\n {2}\| /);
  assert.deepEqual([await asked("get"), await asked("update")], [["First"], []]);
  writeFileSync(file, second);
  await health("ok");
  assert.deepEqual([await asked("get"), await asked("update")], [[], ["Second"]]);
});
