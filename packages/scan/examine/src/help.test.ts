import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import type { Analyzer } from "@bulwark/image";
import type { FileFacts } from "@bulwark/image/reading";
import { Help, serveHelp } from "./help.ts";

const first: Analyzer<string, null> = {
  name: "first",
  limit: 1e9,
  wants: () => true,
  examine(_, content) {
    if (content.toString("latin1", 0, 6) === "refuse") throw new Error("refused");
    return content.length === 1 ? undefined : content.toString("latin1", 0, 8);
  },
  conclude: () => null,
};

function file(path: string, size: number): FileFacts {
  return {
    entry: { path, size, mode: 0o644, uid: 0, gid: 0, layer: null },
    facts: {},
    faults: {},
    replaced: false,
  };
}

test("what another thread says of files is told of each, small ones and large ones, as if it were said here", async () => {
  const { port1, port2 } = new MessageChannel();
  const help = new Help();
  help.add(port1);
  const serving = serveHelp(port2, [first]);
  const contents = [
    "a small one",
    "x",
    "refuse this",
    randomBytes(2_000_000),
    ...Array(500).fill("filler".repeat(900)),
  ];
  const files: FileFacts[] = [];
  for (const text of contents) {
    const content = Buffer.from(text as string);
    const one = file(`/${files.length}`, content.length);
    files.push(one);
    while (!help.take([first], one, content)) await new Promise((resolve) => setImmediate(resolve));
  }
  await help.done();
  assert.deepEqual(
    files.slice(0, 3).map(({ facts, faults }) => [facts, faults]),
    [
      [{ first: "a small " }, {}],
      [{}, {}],
      [{}, { first: "refused" }],
    ],
  );
  assert.equal(files[3]?.facts["first"], (contents[3] as Buffer).toString("latin1", 0, 8));
  assert.ok(files.slice(4).every(({ facts }) => facts["first"] === "fillerfi"));
  help.close();
  await serving;
});

test("who helps and does not keep up is given no more than a few megabytes; who ends is told of", async () => {
  const { port1, port2 } = new MessageChannel();
  const help = new Help();
  help.add(port1);
  let taken = 0;
  while (help.take([first], file("/a", 100_000), Buffer.alloc(100_000)) && taken < 1000) taken++;
  assert.ok(taken > 10 && taken < 100, `${taken} files of 100 kB`);
  const done = help.done();
  port2.close();
  await assert.rejects(done, /a thread that helped ended/);
  assert.equal(help.take([first], file("/b", 1), Buffer.alloc(1)), false);
});
