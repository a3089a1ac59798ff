/** Each way to attack from a container that issue and rules name, done for real and without harm: it is told, of whom, and how. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";

import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createDetectors } from "@bulwark/detect";
import type { Alert } from "@bulwark/model";
import { openRules } from "@bulwark/rules";
import { eventually, missing, run, type RuncContainer, type RuncOptions } from "@bulwark/testkit";
import { escapes } from "./escape.ts";
import { credentials, files } from "./file.ts";
import { networks } from "./network.ts";
import { processes } from "./process.ts";
import { reverseShells } from "./reverse-shell.ts";
import { systemCalls } from "./system-call.ts";
import { places, type Place, type Technique } from "./technique.ts";
import { unseen } from "./unseen.ts";
import { doIn, makeVictim, startWorld, type World } from "./world.ts";

const skip = missing("root", "bpf", "clang", "runc", "busybox", "python");
const attempts = 3;
const path = "export PATH=/bin:/usr/bin:/opt/bin; ";
/** Milliseconds after the last of it in which all has to be told. */
const patience = 30_000;
const kinds: Record<string, Technique[]> = {
  "ways out of a container": escapes,
  "reverse shells": reverseShells,
  programs: processes,
  files,
  credentials,
  connections: networks,
  "system calls": systemCalls,
};

/** A process of the host, and a word that no other run has: this one's. */
const here = (text: string): string => text.replaceAll("HOST", String(process.pid));

/** Why a technique cannot be tried on this machine; false where it can. */
function lack({ needs = [], kernel }: Technique): string | false {
  const has = kernel === undefined || (kernel.startsWith("CONFIG_") ? isConfigured(kernel) : existsSync(kernel));
  if (!has) return `this kernel has no ${kernel}`;
  return missing(...needs);
}

/** Of a kernel that does not say how it was configured, it is not known; then it is not tried. */
function isConfigured(option: string): boolean {
  const places = ["/proc/config.gz", `/boot/config-${release()}`];
  const found = places.find((path) => existsSync(path));
  if (found === undefined) return false;
  const bytes = readFileSync(found);
  return (found.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().includes(`\n${option}=y`);
}

describe("techniques in real containers", { skip }, () => {
  const stack = new AsyncDisposableStack();
  const containers = new Map<Place, RuncContainer>();
  let world: World;
  let options: Record<Place, RuncOptions>;
  let doneAt = 0;
  /** One that is not told makes the others wait no longer. */
  const left = (): number => Math.max(1000, doneAt + patience - performance.now());

  before(async () => {
    world = stack.use(await startWorld());
    const victim = makeVictim(join(world.folder, "victim"));
    const token = mkdtempSync(join(world.folder, "token-"));
    // As the kubelet puts it.
    mkdirSync(join(token, "..2026"));
    writeFileSync(join(token, "..2026/token"), "x");
    symlinkSync("..2026", join(token, "..data"));
    symlinkSync("..data/token", join(token, "token"));
    const store = mkdtempSync(join(world.folder, "store-"));
    writeFileSync(join(store, "member"), "x");
    const mounts = [
      { source: token, target: "/var/run/secrets/kubernetes.io/serviceaccount" },
      { source: store, target: "/var/lib/etcd" },
    ];
    const ofHost = [{ source: "/etc", target: "/host-etc", readOnly: true }];
    options = {
      plain: { rootfs: victim },
      privileged: { rootfs: victim, privileged: true, mounts: ofHost },
      host: { rootfs: victim, hostNamespaces: ["pid"], mounts },
      tools: { rootfs: "/", mounts: [{ source: process.execPath, target: "/opt/node" }] },
    };
    for (const place of places) containers.set(place, await world.start(options[place]));
    // An address that is not of loopback, for a shell that may not make one.
    const inside = ["nsenter", "-t", String(containers.get("tools")?.pid), "-n", "ip", "addr", "add", "192.0.2.1/32"];
    run("sh", ["-c", `${inside.join(" ")} dev lo`]);
    await Promise.all(
      Array.from(containers, async ([place, container]) => {
        const own = Object.values(kinds)
          .flat()
          .filter((technique) => technique.in === place && lack(technique) === false);
        const together = own.filter(({ by }) => by === undefined);
        const script = together.map(
          (one) => `(${here(one.script)}) >/dev/null 2>&1 </dev/null${one.waits ? " &" : ""}`,
        );
        await doIn(container, [path, ...script, "wait"].join("\n"));
        for (const { script: alone, by } of own.filter((one) => one.by !== undefined)) {
          await doIn(container, path + here(alone), by);
        }
      }),
    );
    doneAt = performance.now();
  });
  after(async () => stack.disposeAsync());

  for (const [kind, techniques] of Object.entries(kinds)) {
    describe(kind, () => {
      for (const technique of techniques.filter((one) => lack(one) === false)) {
        test(`${technique.what} (${technique.in})`, async () => {
          let container = containers.get(technique.in);
          for (let attempt = 1; container !== undefined; attempt++) {
            try {
              return await told(technique, container, attempt === 1 ? left() : 20_000);
            } catch (error) {
              if (attempt === attempts) throw error;
            }
            // On a machine that is busy beyond measure a process may be gone before it is looked at. Then it is done again.
            if (technique.isStart === true) container = await world.start(options[technique.in]);
            else await doIn(container, path + here(technique.script), technique.by);
          }
          assert.fail("its container did not start");
        });
      }
    });
  }

  /** Resolves when all that has to be told of it is told. */
  async function told(technique: Technique, container: RuncContainer, time: number): Promise<void> {
    const until = performance.now() + time;
    const rest = (): number => Math.max(500, until - performance.now());
    for (const [rule, said] of Object.entries(technique.alerts ?? {})) {
      await eventually(
        rule,
        () => {
          const all = technique.outside === true ? world.alerts : world.alertsOf(container);
          const found = all.filter((alert) => alert.rule === rule);
          if (found.some((alert) => says(alert, said))) return true;
          const seen = found.map(({ evidence }) => JSON.stringify(evidence)).join("\n");
          throw new Error(`${JSON.stringify(said)} is not among ${found.length}:\n${seen}`);
        },
        rest(),
      );
    }
    await eventually(
      "rules hold",
      () => {
        const held = world.rulesOf(technique.outside === true ? undefined : container);
        const lacking = (technique.rules ?? []).filter((rule) => !held.has(rule));
        assert.deepEqual(lacking, []);
        return true;
      },
      rest(),
    );
  }

  test("every rule and every detector is shown here, or says why not", (t) => {
    for (const technique of Object.values(kinds).flat()) {
      const reason = lack(technique);
      if (reason !== false) t.diagnostic(`not tried: ${technique.what}: ${reason}`);
    }
    const { ruleset } = openRules({ files: [], disabled: [] });
    const all = [
      ...ruleset.rules.filter(({ source }) => source === "syscall").map(({ id }) => id),
      ...createDetectors().map(({ id }) => id),
    ];
    const shown = new Set<string>();
    for (const { alerts = {}, rules = [] } of Object.values(kinds).flat()) {
      for (const id of [...Object.keys(alerts), ...rules]) shown.add(id);
    }
    assert.deepEqual(
      all.filter((id) => !shown.has(id) && unseen[id] === undefined),
      [],
      "no technique shows them",
    );
    assert.deepEqual(
      Object.keys(unseen).filter((id) => shown.has(id) || !all.includes(id)),
      [],
      "these are shown, or do not exist",
    );
  });
});

/** Every one of these is in what the alert says. */
function says({ evidence }: Alert, said: Record<string, string>): boolean {
  return Object.entries(said).every(([key, text]) =>
    evidence.some((item) => item.key === key && item.value.includes(here(text))),
  );
}
