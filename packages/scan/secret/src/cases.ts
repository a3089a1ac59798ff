import type { Sample } from "./document.ts";
import { findSecrets } from "./find.ts";
import type { Kinds } from "./kinds.ts";

/** Runs the samples that are written beside the kinds: one line for each in which it is not found, or found wrongly. */
export function caseProblems(kinds: Kinds): string[] {
  return kinds.list.flatMap((kind) => [
    ...kind.positive
      .filter((sample) => !found(kinds, sample).includes(kind.id))
      .map((sample) => `${kind.id}: not found in ${show(sample)}; found: ${found(kinds, sample).join(", ")}`),
    ...kind.negative
      .filter((sample) => found(kinds, sample).includes(kind.id))
      .map((sample) => `${kind.id}: found in ${show(sample)}`),
  ]);
}

function found(kinds: Kinds, sample: Sample): string[] {
  const { text, file } = typeof sample === "string" ? { text: sample, file: "/app/settings" } : sample;
  const { secrets } = findSecrets(kinds, Buffer.from(text.replaceAll("¦", "")), file);
  return secrets.map(({ kind }) => kind);
}

function show(sample: Sample): string {
  return JSON.stringify(typeof sample === "string" ? sample : sample.text).slice(0, 120);
}
