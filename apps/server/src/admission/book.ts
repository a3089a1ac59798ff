import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Guard } from "@bulwark/gate";
import {
  createImageJudge,
  notScanned,
  registrySource,
  weaknessOf,
  type ImageJudge,
  type ScanFacts,
} from "@bulwark/imagepolicy";
import { errorText, policySetting, type Finding, type PolicySetting } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import { z } from "zod";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import { definitionsIn, type Definition, type Source } from "./definitions.ts";
import { createRegistryAccess } from "./registry-access.ts";

const key = "admission.policies";
const stored = z.strictObject({
  /** By the policy's name; null: off, whatever the configuration says. */
  settings: z.record(z.string(), policySetting.nullable()),
  documents: z.record(z.string(), z.string()),
});
type Stored = z.infer<typeof stored>;

const mostDocuments = 500;
const folder = join(import.meta.dirname, "../../../../content/policies");

/** All policies that this server knows, and how each is in force. */
export interface PolicyBook {
  /** Reads what another replica may have changed. Raises where the store does not answer: what was known stays. */
  refresh(): Promise<void>;
  /** By name. */
  definitions(): Promise<ReadonlyMap<string, Definition>>;
  setting(name: string): PolicySetting | null;
  /** Policies in force in every cluster. The same list until something changes. */
  guards(): readonly Guard[];
  /** What could not be read, one line each. */
  problems(): readonly string[];
  /** Judges images for the policies that ask for it. */
  readonly images: ImageJudge;
  /** Null: off. */
  set(name: string, setting: PolicySetting | null): Promise<void>;
  /** Policies of a document, under its name. Refuses with place and excerpt; what was there before then stays. */
  putDocument(name: string, text: string): Promise<void>;
  /** False where there is no such document. */
  deleteDocument(name: string): Promise<boolean>;
}

export function createPolicyBook(context: Pick<Context, "config" | "store" | "holder" | "sealing">): PolicyBook {
  const { config, store, holder } = context;
  const configured = config.server.admission;
  const judge = createImageJudge({ source: registrySource(createRegistryAccess(context), reportOnce) });
  const underWay = new Map<string, Promise<ScanFacts>>();
  const loaded = new Map<string, Definition>();
  let unread = [...filesIn(folder, "library"), ...(configured?.files ?? []).flatMap((path) => filesIn(path, "file"))];
  let reading: Promise<void> = Promise.resolve();
  let documents: ReadonlyMap<string, Definition> = new Map();
  let state: Stored = { settings: {}, documents: {} };
  let text: string | undefined;
  let inForce: readonly Guard[] = [];
  const broken: string[] = [];
  let brokenDocuments: string[] = [];

  /** What scans know of a digest: read once for all policies that ask at the same time. */
  async function reportOnce(digest: string): Promise<ScanFacts> {
    const answer = underWay.get(digest) ?? reportOf(store, digest).finally(() => underWay.delete(digest));
    underWay.set(digest, answer);
    return answer;
  }

  /** Reads the files that are wanted and not read yet, one after the other. */
  async function read(wanted: (file: PolicyFile) => boolean): Promise<void> {
    reading = reading.then(async () => {
      const files = unread.filter(wanted);
      unread = unread.filter((file) => !wanted(file));
      for (const { path, category, source } of files) {
        // Compiling all of them at once would hold up everybody else.
        await nextTurn();
        try {
          const content = readFileSync(path, "utf8");
          for (const definition of definitionsIn(path, content, source, judge, category)) {
            loaded.set(definition.name, definition);
          }
        } catch (error) {
          broken.push(errorText(error));
        }
      }
      if (files.length > 0) build();
    });
    return reading;
  }

  /** Those of the library that nobody has in force are read when somebody asks for them. */
  function isWanted({ source, path }: PolicyFile): boolean {
    return source === "file" || settingOf(basename(path, extname(path))) !== null;
  }

  function settingOf(name: string): PolicySetting | null {
    const own = state.settings[name];
    if (own !== undefined) return own;
    return configured?.policies.find(({ policy }) => policy === name) ?? all().get(name)?.asks ?? null;
  }

  function all(): Map<string, Definition> {
    return new Map([...loaded, ...documents]);
  }

  function build(): void {
    inForce = [...all().values()].flatMap((definition) => {
      const setting = settingOf(definition.name);
      return setting === null ? [] : definition.guards(setting);
    });
  }

  function take(next: Stored): void {
    const readable = new Map<string, Definition>();
    brokenDocuments = [];
    for (const [name, content] of Object.entries(next.documents)) {
      try {
        for (const definition of definitionsIn(name, content, "console", judge))
          readable.set(definition.name, definition);
      } catch (error) {
        // Of a newer Bulwark, or spoilt: what was good before stays.
        brokenDocuments.push(errorText(error));
        for (const [before, definition] of documents) if (definition.file === name) readable.set(before, definition);
      }
    }
    state = next;
    documents = readable;
    build();
  }

  async function refresh(): Promise<void> {
    const now = await store.settings.get(key);
    if (now !== text) {
      take(now === undefined ? { settings: {}, documents: {} } : stored.parse(JSON.parse(now)));
      text = now;
    }
    await read(isWanted);
  }

  async function change(by: (before: Stored) => Stored): Promise<void> {
    await oneAtATime(store, holder, async () => {
      await refresh();
      const next = by(state);
      const written = JSON.stringify(next);
      await store.settings.set(key, written);
      take(next);
      text = written;
      await read(isWanted);
    });
  }

  return {
    images: judge,
    refresh,
    async definitions() {
      await refresh();
      await read(() => true);
      return all();
    },
    setting: settingOf,
    guards: () => inForce,
    problems: () => [...broken, ...brokenDocuments, ...unknownNames()],
    async set(name, setting) {
      await change((before) => ({ ...before, settings: { ...before.settings, [name]: setting } }));
    },
    async putDocument(name, content) {
      let added: Definition[];
      try {
        added = definitionsIn(name, content, "console", judge);
      } catch (error) {
        throw new Refusal("invalid", errorText(error), { remedy: "mend the policy; the one before is still in force" });
      }
      if (added.length === 0) throw new Refusal("invalid", "there is no policy in it");
      await read(() => true);
      await change((before) => {
        const taken = added.find((one) => {
          const known = all().get(one.name);
          return known !== undefined && !(known.source === "console" && known.file === name);
        });
        if (taken)
          throw new Refusal("conflict", `there is a policy ${taken.name} already`, { remedy: "name it otherwise" });
        if (Object.keys(before.documents).length >= mostDocuments) {
          throw new Refusal("full", `there are ${mostDocuments} documents already`);
        }
        return { ...before, documents: { ...before.documents, [name]: content } };
      });
    },
    async deleteDocument(name) {
      let there = false;
      await change((before) => {
        const { [name]: gone, ...rest } = before.documents;
        there = gone !== undefined;
        return { ...before, documents: rest };
      });
      return there;
    },
  };

  function unknownNames(): string[] {
    const known = all();
    return (configured?.policies ?? [])
      .filter(({ policy }) => !known.has(policy))
      .map(({ policy }) => `server.admission.policies: there is no policy ${policy}`);
  }
}

/** What agents have found in an image and nobody has deferred; a scan that is not complete is none. */
async function reportOf(store: Store, digest: string): Promise<ScanFacts> {
  const { items } = await store.images.list({ q: digest }, { limit: 20 });
  const image = items.find((one) => one.digest === digest && one.state === "done");
  const report = image && (await store.images.report(image.key));
  if (!image || !report) return notScanned;
  const open: Finding[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.findings.list({ image: image.key, state: "open" }, { cursor, limit: 500 });
    open.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && open.length < 20_000);
  const now = Date.now();
  return {
    ...{ known: true, scannedAt: image.scannedAt },
    vulnerabilities: open.flatMap((one) => (one.kind === "vulnerability" ? [weaknessOf(one.vulnerability, now)] : [])),
    secrets:
      report.secrets &&
      open.flatMap((one) => (one.kind === "secret" ? [{ kind: one.secret.kind, severity: one.severity }] : [])),
    malware: report.malware && open.flatMap((one) => (one.kind === "malware" ? [{ name: one.malware.rule }] : [])),
    checks:
      report.checks &&
      open.flatMap((one) =>
        one.kind === "misconfiguration" ? [{ id: one.misconfiguration.check, severity: one.severity }] : [],
      ),
  };
}

interface PolicyFile {
  readonly path: string;
  readonly category: string;
  readonly source: Source;
}

/** A policy of the library is in the file of its name. */
function filesIn(path: string, source: Source): PolicyFile[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [{ path, category: "", source }];
  return globSync("**/*.{yaml,yml}", { cwd: path })
    .filter((file) => !/\.cases\.ya?ml$/.test(file))
    .toSorted()
    .map((file) => ({
      path: join(path, file),
      category: file.includes("/") ? (file.split("/")[0] ?? "") : "",
      source,
    }));
}

/** Two who change it at once would lose one of the changes. */
async function oneAtATime(store: Store, holder: string, run: () => Promise<void>): Promise<void> {
  const name = "admission/policies";
  const who = `${holder}/${Math.random()}`;
  for (let attempt = 0; !(await store.leases.take(name, who, 10_000)); attempt++) {
    if (attempt === 20) throw new Refusal("conflict", "somebody else changes the policies", { retryAfter: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    await run();
  } finally {
    await store.leases.release(name, who);
  }
}
