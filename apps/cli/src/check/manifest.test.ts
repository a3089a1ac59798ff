import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { callCommand } from "../call.fixture.ts";
import { manifestCommand } from "./manifest.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-manifest-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const call = (...args: string[]): ReturnType<typeof callCommand> => callCommand(manifestCommand, args);

const web = `# the shop
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  hostPID: true
  containers:
    - name: web # the one
      image: registry.example.com/web:1.4
`;

test("findings name object, place, policy and what to do; the gate goes by severity", async () => {
  const path = file("web.yaml", web);
  const { code, out } = await call(path, "--only", "no-host-pid,memory-limits");
  assert.equal(code, 1);
  assert.match(out, /^Pod shop\/web {2}.*web\.yaml:2\n {2}critical {2}no-host-pid: hostPID must not be true\n/);
  assert.match(out, /What to do:\n {2}memory-limits: Set resources\.limits\.memory/);
  assert.match(out, /1 object: 1 critical, 1 medium\.\n$/);
  assert.equal((await call(path, "--only", "memory-limits", "--fail-on", "high")).code, 0);
  const json = JSON.parse((await call(path, "--only", "no-host-pid", "--format", "json")).out) as {
    objects: { name: string; line: number; findings: { policy: string }[] }[];
  };
  assert.deepEqual(
    json.objects.map(({ name, line, findings }) => [name, line, findings.map(({ policy }) => policy)]),
    [["Pod shop/web", 2, ["no-host-pid"]]],
  );
});

test("the Pod Security Standards are asked when they are named", async () => {
  const { code, out } = await call(file("web.yaml", web), "--only", "no-host-ipc", "--pod-security", "baseline");
  assert.equal(code, 1);
  assert.match(out, /pod-security\/hostNamespaces: host namespaces \(hostPID=true\)/);
});

test("--fix mends in the file and keeps what people wrote", async () => {
  const path = file("fix.yaml", web);
  const { code, out } = await call(path, "--fix", "--only", "no-privilege-escalation,no-token-in-pods");
  assert.deepEqual([code, out], [0, "1 object mended in the files.\n1 object: nothing found.\n"]);
  assert.equal(
    readFileSync(path, "utf8"),
    `${web}      securityContext:\n        allowPrivilegeEscalation: false\n  automountServiceAccountToken: false\n`,
  );
});

test("a broken document is told by its line, the rest is checked, and the exit code says so", async () => {
  const { code, out, err } = await call(
    file("broken.yaml", `${web}---\nkind: {{ .Values.kind }}\n`),
    "--only",
    "no-host-ipc",
  );
  assert.deepEqual([code, out], [3, "1 object: nothing found.\n"]);
  assert.match(err, /broken\.yaml:11: .*helm template/);
});

test("a wrong call says what and how to mend", async () => {
  const path = file("web.yaml", web);
  for (const [args, message] of [
    [[], /needs a FILE/],
    [[path, "--only", "nothing"], /--only nothing: no such policy/],
    [[path, "--pod-security", "strict"], /--pod-security strict/],
    [[path, "--fail-on", "awful"], /--fail-on awful/],
    [[path, "--format", "xml"], /--format xml/],
  ] as const) {
    await assert.rejects(call(...args), message);
  }
});
