/** Performs techniques at a site, and has each of them told: by which alert, of whom, and how. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Alert } from "@bulwark/model";
import { eventually, missing, run } from "@bulwark/testkit";
import type { Entrance } from "./entrance.ts";
import type { Site, Victim } from "./site.ts";
import type { Place, Technique } from "./technique.ts";

export interface Plan {
  skip: string | false;
  kinds: Record<string, Technique[]>;
  open(): Promise<Site>;
  /** Raises when an alert does not say what has to be said of every one of them. */
  complete?(alert: Alert): void;
}

const attempts = 3;
const path = "export PATH=/bin:/usr/bin:/opt/bin; ";
/** Milliseconds after the last of it in which all has to be told. */
const patience = 30_000;

/** A process of the host, and a word that no other run has: this one's. */
export const here = (text: string): string => text.replaceAll("HOST", String(process.pid));

/** Why a technique cannot be tried on this machine; false where it can. */
export function lack({ needs = [], kernel }: Technique): string | false {
  const has = kernel === undefined || (kernel.startsWith("CONFIG_") ? isConfigured(kernel) : existsSync(kernel));
  if (!has) return `this kernel has no ${kernel}`;
  return missing(...needs);
}

/** Of a kernel that does not say how it was configured, it is not known; then it is not tried. */
function isConfigured(option: string): boolean {
  const places = ["/proc/config.gz", `/boot/config-${release()}`];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) return false;
  const bytes = readFileSync(found);
  return (found.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().includes(`\n${option}=y`);
}

/** `lacks`: ways into a container that the site does not have. */
export function perform(title: string, lacks: readonly (keyof Entrance)[], plan: Plan): void {
  const { skip, open, complete = () => undefined } = plan;
  const isTried = (technique: Technique): boolean =>
    lack(technique) === false && !lacks.some((way) => technique.by?.[way] !== undefined);
  const kinds = Object.entries(plan.kinds).map(([kind, techniques]) => [kind, techniques.filter(isTried)] as const);
  const all = kinds.flatMap(([, techniques]) => techniques);

  describe(title, { skip }, () => {
    const stack = new AsyncDisposableStack();
    const victims = new Map<Place, Victim>();
    let site: Site;
    let doneAt = 0;
    /** One that is not told makes the others wait no longer. */
    const left = (): number => Math.max(1000, doneAt + patience - performance.now());

    before(async () => {
      site = stack.use(await open());
      for (const place of new Set(all.map((technique) => technique.in))) victims.set(place, await site.start(place));
      // An address that is not of loopback, for a shell that may not make one.
      const tools = victims.get("tools");
      if (tools) run("nsenter", ["-t", String(tools.pid), "-n", "ip", "addr", "add", "192.0.2.1/32", "dev", "lo"]);
      await Promise.all(
        Array.from(victims, async ([place, victim]) => {
          const own = all.filter((technique) => technique.in === place);
          const together = own.filter(({ by }) => by === undefined);
          const script = together.map(
            (one) => `(${here(one.script)}) >/dev/null 2>&1 </dev/null${one.waits ? " &" : ""}`,
          );
          await victim.doIn([path, ...script, "wait"].join("\n"));
          for (const { script: alone, by } of own.filter((one) => one.by !== undefined)) {
            await victim.doIn(path + here(alone), by);
          }
        }),
      );
      doneAt = performance.now();
    });
    after(async () => stack.disposeAsync());

    for (const [kind, techniques] of kinds) {
      describe(kind, () => {
        for (const technique of techniques) {
          test(`${technique.what} (${technique.in})`, async () => {
            let victim = victims.get(technique.in);
            for (let attempt = 1; victim !== undefined; attempt++) {
              try {
                return await told(technique, victim, attempt === 1 ? left() : 20_000);
              } catch (error) {
                if (attempt === attempts) throw error;
              }
              // On a machine that is busy beyond measure a process may be gone before it is looked at. Then it is done again.
              if (technique.isStart === true) victim = await site.start(technique.in);
              else await victim.doIn(path + here(technique.script), technique.by);
            }
            assert.fail("its container did not start");
          });
        }
      });
    }

    /** Resolves when all that has to be told of it is told. */
    async function told(technique: Technique, victim: Victim, time: number): Promise<void> {
      const until = performance.now() + time;
      const rest = (): number => Math.max(500, until - performance.now());
      const whose = technique.outside === true ? undefined : victim.id;
      for (const [rule, said] of Object.entries(technique.alerts ?? {})) {
        const alert = await eventually(
          rule,
          () => {
            const found = site.alerts.filter((one) => one.rule === rule && one.container?.id === whose);
            const match = found.find((one) => says(one, said));
            if (match) return match;
            const seen = found.map(({ evidence }) => JSON.stringify(evidence)).join("\n");
            throw new Error(`${JSON.stringify(said)} is not among ${found.length}:\n${seen}`);
          },
          rest(),
        );
        complete(alert);
      }
      await eventually(
        "rules hold",
        () => {
          const held = site.rulesOf(whose);
          const lacking = (technique.rules ?? []).filter((rule) => !held.has(rule));
          assert.deepEqual(lacking, []);
          return true;
        },
        rest(),
      );
    }
  });
}

/** Every one of these is in what the alert says. */
export function says({ evidence }: Pick<Alert, "evidence">, said: Record<string, string>): boolean {
  return Object.entries(said).every(([key, text]) =>
    evidence.some((item) => item.key === key && item.value.includes(here(text))),
  );
}
