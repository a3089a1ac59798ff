import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { readPolicies, type LibraryPolicy } from "@bulwark/admission";
import { nativeGuard, type Guard } from "@bulwark/gate";
import { errorText, policySetting, type PolicySetting } from "@bulwark/model";
import type { Store } from "@bulwark/store";
import { z } from "zod";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";

/** Where a policy comes from. A policy of a cluster's own config map is in force there only. */
export type Source = "library" | "file" | "console" | "cluster";

/** A policy that can be in force. */
export interface Definition extends LibraryPolicy {
  readonly source: Source;
  /** The YAML that it stands in. */
  readonly text: string;
}

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
  /** Null: off. */
  set(name: string, setting: PolicySetting | null): Promise<void>;
  /** Policies of a document, under its name. Refuses with place and excerpt; what was there before then stays. */
  putDocument(name: string, text: string): Promise<void>;
  /** False where there is no such document. */
  deleteDocument(name: string): Promise<boolean>;
}

export function createPolicyBook({ config, store, holder }: Pick<Context, "config" | "store" | "holder">): PolicyBook {
  const configured = config.server.admission;
  const loaded = new Map<string, Definition>();
  let unread = [...filesIn(folder, "library"), ...(configured?.files ?? []).flatMap((path) => filesIn(path, "file"))];
  let reading: Promise<void> = Promise.resolve();
  let documents: ReadonlyMap<string, Definition> = new Map();
  let state: Stored = { settings: {}, documents: {} };
  let text: string | undefined;
  let inForce: readonly Guard[] = [];
  const broken: string[] = [];
  let brokenDocuments: string[] = [];

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
          for (const policy of readPolicies(path, content, category)) {
            loaded.set(policy.name, { ...policy, source, text: content });
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
    return own === undefined ? (configured?.policies.find(({ policy }) => policy === name) ?? null) : own;
  }

  function all(): Map<string, Definition> {
    return new Map([...loaded, ...documents]);
  }

  function build(): void {
    inForce = [...all().values()].flatMap((definition) => {
      const setting = settingOf(definition.name) ?? annotated(definition);
      return setting === null ? [] : guardsFor(definition, setting);
    });
  }

  function take(next: Stored): void {
    const readable = new Map<string, Definition>();
    brokenDocuments = [];
    for (const [name, content] of Object.entries(next.documents)) {
      try {
        for (const definition of definitionsIn(name, content, "console")) readable.set(definition.name, definition);
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
    refresh,
    async definitions() {
      await refresh();
      await read(() => true);
      return all();
    },
    setting: (name) => inForce.find((guard) => guard.name === name)?.setting ?? settingOf(name),
    guards: () => inForce,
    problems: () => [...broken, ...brokenDocuments, ...unknownNames()],
    async set(name, setting) {
      await change((before) => ({ ...before, settings: { ...before.settings, [name]: setting } }));
    },
    async putDocument(name, content) {
      let added: Definition[];
      try {
        added = definitionsIn(name, content, "console");
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

/** The policies of a document. Raises `AdmissionError`. */
export function definitionsIn(name: string, text: string, source: Source): Definition[] {
  return readPolicies(name, text).map((policy) => ({ ...policy, source, text }));
}

/** What a policy and, where it is wanted, its fix do at admission. */
export function guardsFor(definition: Definition, setting: PolicySetting): Guard[] {
  const { compiled, fix, objects } = definition;
  return [nativeGuard(compiled, objects, setting), ...(setting.fix && fix ? [nativeGuard(fix, objects, setting)] : [])];
}

/** The setting of a policy that lies in a cluster: what it says itself, else it observes. */
export function settingInCluster(definition: Definition): PolicySetting {
  return annotated(definition) ?? policySetting.parse({ policy: definition.name, mode: "observe" });
}

/** How a policy says itself that it wants to be in force; null where it does not. */
function annotated({ name, compiled }: Pick<Definition, "name" | "compiled">): PolicySetting | null {
  const annotation = (word: string): string | undefined =>
    compiled.policy.metadata.annotations?.[`bulwark.dev/${word}`];
  const mode = annotation("mode");
  if (mode === undefined) return null;
  const from = annotation("from");
  const read = policySetting.safeParse({
    ...{ policy: name, mode, failurePolicy: annotation("failure-policy") },
    ...{ from: from === undefined ? null : Date.parse(from), fix: annotation("fix") === "true" },
  });
  return read.success ? read.data : policySetting.parse({ policy: name, mode: "observe" });
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
