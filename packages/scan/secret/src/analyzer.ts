import type { Analyzer, Examined, TreeEntry, TreeFacts } from "@bulwark/image";
import type { ExtractorStatus, Secret } from "@bulwark/model";
import { findSecrets, isBinary, maskSecrets, type FoundSecret } from "./find.ts";
import { loadKinds, type Kinds } from "./kinds.ts";

/** Longer texts than this are logs and dumps; that one was not read is said. */
const textLimit = 32 * 1024 * 1024;
/** Of an executable little is text. Those of Go have a hundred megabytes. */
const sizeLimit = 128 * 1024 * 1024;
const errorsKept = 1000;

/** What one file says: credentials, masked; nothing that would open anything. */
export interface SecretFact {
  secrets: FoundSecret[];
  cut: boolean;
}

export interface SecretResult {
  secrets: Secret[];
  /** `partial` where a file could not be read whole. */
  status: ExtractorStatus;
}

let shared: Kinds | undefined;
/** Loaded when the first file is looked at, once for each thread. */
function defaultKinds(): Kinds {
  return (shared ??= loadKinds());
}

/**
 * Credentials in the files of a tree, in files that a later layer removed, and in the image's environment and history.
 * Not looked at, by `content/secrets/allow.yaml`: lock files, media, archives, the distribution's own documentation and
 * executables. Executables of elsewhere are looked at for what has an unmistakable form.
 */
export const secretAnalyzer: Analyzer<SecretFact, SecretResult> = {
  name: "secrets",
  limit: sizeLimit,
  wants({ path, size }) {
    const { places } = defaultKinds();
    // A large file below the distribution's own folders is an executable or a database of its.
    return size >= 8 && places.wants(path) && (size <= textLimit || places.wantsBinary(path));
  },
  examine({ path }, content) {
    if (content.length > textLimit && !isBinary(content)) {
      throw new Error(`${content.length} bytes of text: above the limit of ${textLimit}`);
    }
    const { secrets, cut } = findSecrets(defaultKinds(), content, path);
    return secrets.length > 0 || cut ? { secrets, cut } : undefined;
  },
  conclude: ({ facts, faults, tree }) => {
    const steps = new Map(tree.layers.map(({ digest, step }) => [digest, step]));
    const inFiles = facts.flatMap(({ entry, fact, removed }) =>
      fact.secrets.map((found) =>
        toSecret(found, entry.path, entry.layer, steps.get(entry.layer ?? "") ?? null, removed),
      ),
    );
    return { secrets: [...inFiles, ...inConfig(tree)], status: statusOf(facts, faults) };
  },
};

/** A text that goes into a report, with what Bulwark's own kinds find in it masked. */
export function maskText(text: string): string {
  return maskSecrets(defaultKinds(), text);
}

function toSecret(
  found: FoundSecret,
  location: string,
  layer: string | null,
  step: string | null,
  removed: boolean,
): Secret {
  const kind = defaultKinds().byId.get(found.kind);
  return {
    ...found,
    title: kind?.title ?? found.kind,
    severity: kind?.severity ?? "unknown",
    remedy: kind?.remedy ?? "Revoke it where it was issued.",
    location: location.slice(0, 4096),
    layer,
    // A step that writes a credential tells it.
    step: step === null ? null : maskText(step).slice(0, 4096),
    removed,
  };
}

/** What the image's configuration holds: variables first; a step of the history that only repeats one is not told. */
function inConfig({ config }: TreeFacts): Secret[] {
  if (!config) return [];
  const known = new Set<string>();
  const look = (text: string, location: string, step: string | null): Secret[] =>
    findSecrets(defaultKinds(), Buffer.from(text), "/image-configuration")
      .secrets.filter(({ fingerprint }) => !known.has(fingerprint) && known.add(fingerprint))
      .map((found) => toSecret({ ...found, line: null }, location, null, step, false));
  return [
    ...config.environment.flatMap((variable) => look(variable, `ENV ${variable.split("=")[0] ?? ""}`, null)),
    ...Object.entries(config.labels).flatMap(([name, value]) => look(`${name}=${value}`, `LABEL ${name}`, null)),
    ...look([...config.entrypoint, ...config.command].join(" "), "COMMAND", null),
    ...config.history.flatMap(({ createdBy }, index) => look(createdBy, `HISTORY ${index + 1}`, createdBy)),
  ];
}

function statusOf(facts: Examined<SecretFact>["facts"], faults: Examined<SecretFact>["faults"]): ExtractorStatus {
  const errors = [
    ...faults.map(({ entry, message }) => fault(entry, message)),
    ...facts.filter(({ fact }) => fact.cut).map(({ entry }) => fault(entry, "has more than is looked at in one file")),
  ];
  return { extractor: "secrets", state: errors.length > 0 ? "partial" : "done", errors: errors.slice(0, errorsKept) };
}

function fault({ path }: TreeEntry, message: string): { path: string; message: string } {
  return { path: path.slice(0, 4096), message: message.slice(0, 1024) };
}
