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
import { eventually, missing, run, type RuncContainer } from "@bulwark/testkit";
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
    const options = {
      plain: { rootfs: victim },
      privileged: { rootfs: victim, privileged: true, mounts: ofHost },
      host: { rootfs: victim, hostNamespaces: ["pid" as const], mounts },
      tools: { rootfs: "/", mounts: [{ source: process.execPath, target: "/opt/node" }] },
    };
    for (const place of places) containers.set(place, await world.start(options[place]));
    // An address that is not of loopback, for a shell that may not make one.
    const inside = ["nsenter", "-t", String(containers.get("tools")?.pid), "-n", "ip", "addr", "add", "192.0.2.1/32"];
    run("sh", ["-c", `${inside.join(" ")} dev lo`]);
    const path = "export PATH=/bin:/usr/bin:/opt/bin; ";
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
          const container = containers.get(technique.in);
          assert.ok(container);
          for (const [rule, said] of Object.entries(technique.alerts ?? {})) {
            await eventually(
              rule,
              () => {
                const told = technique.outside === true ? world.alerts : world.alertsOf(container);
                const found = told.filter((alert) => alert.rule === rule);
                if (found.some((alert) => says(alert, said))) return true;
                const seen = found.map(({ evidence }) => JSON.stringify(evidence)).join("\n");
                throw new Error(`${JSON.stringify(said)} is not among ${found.length}:\n${seen}`);
              },
              left(),
            );
          }
          await eventually(
            "rules hold",
            () => {
              const held = world.rulesOf(technique.outside ? undefined : container);
              assert.deepEqual(
                (technique.rules ?? []).filter((rule) => !held.has(rule)),
                [],
              );
              return true;
            },
            left(),
          );
        });
      }
    });
  }

  test("a container that makes more events than its share is told of, and loses none but its own", async () => {
    const noisy = await world.start({ rootfs: join(world.folder, "victim") });
    await doIn(noisy, "deeds do flood 600000");
    await eventually(
      "it is told",
      () => world.alertsOf(noisy).some(({ rule }) => rule === "flood") || undefined,
      patience,
    );
  });

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
    const shown = new Set(["flood"]);
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
