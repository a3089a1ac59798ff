/** What the sensor tells only where a rule needs it: system calls that ask for no right, files of a rule of the user's own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Alert } from "@bulwark/model";
import { eventually, missing, runWithRunc, type RuncContainer } from "@bulwark/testkit";
import { startCommand } from "./command.ts";
import { doIn, makeVictim } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

const deeds = {
  "link-over-a-sensitive-file-made": "ln -s /etc/shadow /tmp/link; ln /etc/shadow /tmp/hard",
  "standard-stream-moved-onto-a-connection":
    "nc -l -p 4447 </dev/null >/dev/null & usleep 200000; nc 127.0.0.1 4447 -e /bin/true",
  "personality-of-a-process-changed": "linux64 true",
  "key-of-the-shop-read": "echo key >/etc/shop.key; usleep 300000; cat /etc/shop.key",
};

const own = `
- rule: Key of the shop read
  desc: Nobody but the shop reads it.
  condition: >-
    evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name = /etc/shop.key and container.id != host
  output: Key of the shop read by %proc.name
  priority: WARNING
`;

const isLast = ({ process }: Alert): boolean => process?.arguments.at(-1) === "last";

describe("what is told only where a rule needs it", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-traced-"));
  let container: RuncContainer;
  before(() => {
    const rootfs = makeVictim(join(folder, "victim"));
    container = runWithRunc({ overlay: true, rootfs, root: "/run/runc" });
  });
  after(async () => {
    await container?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Ids of the rules that alerted in the container while all deeds were done, and what was said besides. */
  async function watched(rules: string | undefined): Promise<{ ids: Set<string>; said: string }> {
    const file = join(folder, "rules.yaml");
    if (rules !== undefined) writeFileSync(file, rules);
    const options = rules === undefined ? [] : ["--rules", file];
    const command = startCommand(...options);
    const found = (): Alert[] =>
      command.alerts.flatMap(({ alert }) => (alert.container?.id === container.id ? [alert] : []));
    let said = "";
    try {
      let turn = 0;
      const see = (): Promise<boolean | undefined> =>
        doIn(container, `cat /etc/shadow seen-${turn++}`).then(() => found().length > 0 || undefined);
      await eventually("it watches", see, 20_000);
      for (const script of Object.values(deeds)) await doIn(container, `cd /tmp; rm -f link hard; ${script}`);
      // What is told comes in its order: with this, all of the deeds has come.
      await doIn(container, "/opt/bin/deepce last");
      await eventually("the last is told", () => found().some(isLast) || undefined, 10_000);
    } finally {
      said = await command.stop();
    }
    return { ids: new Set(found().map(({ rule }) => rule)), said };
  }

  test("as they come, nothing of the kind is seen, and nothing is slowed", async () => {
    const { ids, said } = await watched(undefined);
    assert.deepEqual(
      Object.keys(deeds).filter((id) => ids.has(id)),
      [],
    );
    assert.doesNotMatch(said, /traced/);
  });

  test("switched on they fire, and the price is said", async () => {
    const names = [
      "Link over a sensitive file made",
      "Standard stream moved onto a connection",
      "Personality of a process changed",
    ];
    const { ids, said } = await watched(names.map((name) => `- rule: ${name}\n  enabled: true\n`).join("") + own);
    assert.deepEqual(
      Object.keys(deeds).filter((id) => !ids.has(id)),
      [],
      said,
    );
    assert.match(said, /rules need .*dup2.*personality.* traced: each system call of this machine takes/);
  });
});
