/** What the sensor tells only where a rule needs it: system calls that ask for no right, files of a rule of the user's own. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Alert } from "@bulwark/model";
import { eventually, missing, runWithRunc, suitesDir, type RuncContainer } from "@bulwark/testkit";
import { startCommand } from "./command.ts";
import { doIn, makeVictim } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox");

const deeds = {
  "link-over-a-sensitive-file-made": "cd /tmp; rm -f link hard; ln -s /etc/shadow /tmp/link; ln /etc/shadow /tmp/hard",
  "standard-stream-moved-onto-a-connection":
    "nc -l -p 4447 </dev/null >/dev/null & usleep 200000; nc 127.0.0.1 4447 -e /bin/true",
  "personality-of-a-process-changed": "linux64 true",
  "program-with-a-library-from-tmp": "LD_PRELOAD=/tmp/x.so /opt/bin/deepce",
  "connection-ended": "nc -l -p 4448 </dev/null >/dev/null & usleep 200000; echo x | nc 127.0.0.1 4448",
  "key-of-the-shop-read": "echo key >/etc/shop.key; usleep 300000; cat /etc/shop.key",
  "file-of-the-shop-removed": "mkdir -p /srv/shop; usleep 300000; echo x >/srv/shop/file; rm /srv/shop/file",
};

const own = `
- rule: Key of the shop read
  desc: Nobody but the shop reads it.
  condition: >-
    evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name = /etc/shop.key and container.id != host
  output: Key of the shop read by %proc.name
  priority: WARNING
- rule: File of the shop removed
  desc: In a directory that is watched for no other reason.
  condition: evt.type in (unlink, unlinkat) and fs.path.name startswith /srv/shop/ and container.id != host
  output: "%fs.path.name removed by %proc.name"
  priority: WARNING
- rule: Program with a library from tmp
  desc: A variable of the environment.
  condition: evt.type = execve and proc.env[LD_PRELOAD] startswith /tmp/ and container.id != host
  output: "%proc.cmdline with %proc.env[LD_PRELOAD]"
  priority: WARNING
- rule: Connection ended
  desc: Of a port of the test's own.
  condition: evt.type = closed and fd.sport = 4448 and container.id != host
  output: Connection of %proc.name to %fd.name ended
  priority: WARNING
`;

const isLast = ({ process }: Alert): boolean => process?.arguments.at(-1) === "last";

/** Of Falco's stable rules those that ask for what only a tracepoint tells. */
const falcos = {
  "Clear Log Activities": ": >/var/log/syslog",
  "Directory traversal monitored file read": "cd /tmp; exec cat ../../etc/shadow",
  "PTRACE anti-debug attempt": "deeds do traced",
  "PTRACE attached to process": "deeds do traced",
};
const stable = join(suitesDir(), "falco/falco_rules.yaml");

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

  /** Rules that alerted in the container while deeds were done, by id and by name, and what was said besides. */
  async function watched(
    scripts: readonly string[],
    rules?: string,
  ): Promise<{ ids: Set<string>; titles: Set<string>; said: string }> {
    const command = startCommand(...(rules === undefined ? [] : ["--rules", rules]));
    const found = (): Alert[] =>
      command.alerts.flatMap(({ alert }) => (alert.container?.id === container.id ? [alert] : []));
    let said = "";
    try {
      let turn = 0;
      const see = (): Promise<boolean | undefined> =>
        doIn(container, `cat /etc/shadow seen-${turn++}`).then(() => found().length > 0 || undefined);
      await eventually("it watches", see, 20_000);
      for (const script of scripts) await doIn(container, script);
      // What is told comes in its order: with this, all of the deeds has come.
      await doIn(container, "/opt/bin/deepce last");
      await eventually("the last is told", () => found().some(isLast) || undefined, 10_000);
    } finally {
      said = await command.stop();
    }
    const alerts = found();
    return { ids: new Set(alerts.map(({ rule }) => rule)), titles: new Set(alerts.map(({ title }) => title)), said };
  }

  test("as they come, nothing of the kind is seen, and nothing is slowed", async () => {
    const { ids, said } = await watched(Object.values(deeds));
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
    const file = join(folder, "rules.yaml");
    writeFileSync(file, names.map((name) => `- rule: ${name}\n  enabled: true\n`).join("") + own);
    const { ids, said } = await watched(Object.values(deeds), file);
    assert.deepEqual(
      Object.keys(deeds).filter((id) => !ids.has(id)),
      [],
      said,
    );
    assert.match(said, /rules need .*dup2.*personality.* traced: each system call of this machine takes/);
  });

  test(
    "Falco's own rules fire on logs emptied, paths that go up, and processes traced",
    {
      skip: !existsSync(stable),
    },
    async () => {
      const { titles, said } = await watched([...new Set(Object.values(falcos))], stable);
      assert.deepEqual(
        Object.keys(falcos).filter((title) => !titles.has(title)),
        [],
        said,
      );
      assert.match(said, /rules need .*open, openat, openat2, ptrace.* traced/);
    },
  );
});
