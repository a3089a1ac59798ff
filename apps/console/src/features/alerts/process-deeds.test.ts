import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActivityEvent, Ancestor, Process, ProcessEvent } from "@bulwark/model";
import { deedsOf, keyOf } from "./process-deeds.ts";

const process = (pid: number): Process => ({
  ...{ pid, containerPid: pid, parentPid: 0, startTime: String(pid * 10), name: `p${pid}`, executable: `/bin/p${pid}` },
  ...{ arguments: [], argumentsCut: false, workingDirectory: "/", uid: 0, gid: 0, effectiveUid: 0 },
  ...{ capabilities: "0", origin: "image", stdio: [] },
});
const parent = (pid: number): Ancestor[] => {
  const { startTime, name, executable, uid } = process(pid);
  return [{ pid, startTime, name, executable, arguments: [], uid }];
};
const common = (pid: number, of: number) => ({
  ...{ id: "e", time: 1, node: "n", attribution: "container" as const, container: null },
  ...{ process: process(pid), ancestors: of === 0 ? [] : parent(of) },
});
const exec = (pid: number, of: number): ProcessEvent => ({
  ...common(pid, of),
  ...{ kind: "exec", exitCode: null, connection: null },
});
const connect = (pid: number, of: number, ip: string): ProcessEvent => ({
  ...exec(pid, of),
  kind: "connect",
  connection: { protocol: "tcp", local: { ip: "10.0.0.1", port: 1 }, remote: { ip, port: 443 } },
});
const wrote = (pid: number, of: number, path: string): ActivityEvent => ({
  ...common(pid, of),
  kind: "file",
  file: { operation: "write", path, newPath: "", isDirectory: false },
});

test("what each process touched is there once, in its order", () => {
  const { touched } = deedsOf([
    exec(2, 1),
    wrote(2, 1, "/etc/a"),
    connect(2, 1, "::1"),
    wrote(2, 1, "/etc/a"),
    wrote(3, 2, "/etc/b"),
  ]);
  assert.deepEqual(touched.get(keyOf(process(2))), ["write /etc/a", "→ [::1]:443"]);
  assert.deepEqual(touched.get(keyOf(process(3))), ["write /etc/b"]);
  assert.equal(touched.has(keyOf(process(1))), false);
});

test("whom a process started comes as a tree, bounded, whatever the events claim", () => {
  const { descendants } = deedsOf([exec(2, 1), exec(3, 2), exec(4, 1), exec(5, 3), exec(1, 5)]);
  const shown = descendants(keyOf(process(1))).map(({ process: { pid }, depth }) => [pid, depth]);
  assert.deepEqual(shown, [
    [2, 1],
    [3, 2],
    [5, 3],
    [4, 1],
  ]);
  const many = deedsOf(Array.from({ length: 50 }, (_, n) => exec(100 + n, 1)));
  assert.equal(many.descendants(keyOf(process(1))).length, 20);
  assert.deepEqual(many.descendants("9/9"), []);
});
