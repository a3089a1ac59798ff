import assert from "node:assert/strict";
import { test } from "node:test";
import { CgroupIndex, idOfCgroup } from "./cgroups.ts";

const id = "a".repeat(63) + "1";

for (const [path, expected] of [
  [`/system.slice/docker-${id}.scope`, id],
  [`/docker/${id}`, id],
  [`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${id}.scope`, id],
  [`/kubepods.slice/kubepods-pod1.slice/crio-${id}.scope`, id],
  [`/machine.slice/libpod-${id}.scope`, id],
  [`/kubepods/burstable/pod1-2-3/${id}`, id],
  [`/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:${id}`, id],
  [`/kubepods.slice/crio-conmon-${id}.scope`, undefined],
  [`/machine.slice/libpod-conmon-${id}.scope`, undefined],
  [`/docker/${id}/inner`, undefined],
  [`/docker/${id}0`, undefined],
  ["/user.slice/user-0.slice/session-1.scope", undefined],
  ["/", undefined],
] as const) {
  test(`id of ${path.replace(id, "<id>")}`, () => assert.equal(idOfCgroup(path), expected));
}

const nobody = (): undefined => undefined;

test("the nearest ancestor owns a path, the root owns nothing", () => {
  const index = new CgroupIndex<string>();
  index.add("/a/b", "outer", 2);
  index.add("/a/b/c/d", "inner", 2);
  assert.equal(index.find(["/a/b/c"], nobody), "outer");
  assert.equal(index.find(["/a/b/c/d/e"], nobody), "inner");
  assert.equal(index.find(["/a/b", "/a/b/c/d"], nobody), "inner");
  assert.equal(index.find(["/", "/a", "", "/a/bc"], nobody), undefined);
});

test("a path that two equals claim is nobody's; a living container and a trusted runtime come first", () => {
  const index = new CgroupIndex<string>();
  for (const owner of ["one", "two"]) index.add("/shared", owner, 3);
  index.add("/reused", "dead", 1);
  index.add("/reused", "alive", 3);
  index.add("/stolen", "victim", 3);
  index.add("/stolen", "thief", 2);
  assert.equal(index.find(["/shared/x"], nobody), undefined);
  assert.equal(index.find(["/reused"], nobody), "alive");
  assert.equal(index.find(["/stolen"], nobody), "victim");
});

test("an id in the path is the second way, also from inside", () => {
  const index = new CgroupIndex<string>();
  const byId = (asked: string): string | undefined => (asked === id ? "container" : undefined);
  assert.equal(index.find([`/kubepods/pod1/${id}/init`], byId), "container");
  assert.equal(index.find([`/kubepods/pod1/${"b".repeat(64)}`], byId), undefined);
});
