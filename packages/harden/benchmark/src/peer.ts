import { contentFolder, invalid, readContent, readDocuments } from "@bulwark/content";
import { z } from "zod";
import { loadLibrary } from "./load.ts";

const name = z.string().min(1).max(128);
const verdict = z.enum(["pass", "fail", "not-applicable", "unknown"]);

/** Another scanner's content, and which of its rules ask what a check of ours asks. */
const peerDocument = z.strictObject({
  /** Debian's package that brings it. */
  package: name,
  version: name,
  /** Where its rules say a value may be chosen: what ours asks. */
  values: z.record(name, z.string().max(64)),
  /** Why the two may differ, by a name. */
  reasons: z.record(name, z.string().min(1).max(512)),
  pairs: z.array(
    z.strictObject({
      check: name,
      /** Together they ask what the check asks: one that fails is a failure. */
      rules: z.array(name).min(1).max(32),
      differs: z
        .array(z.strictObject({ ours: verdict, theirs: verdict, because: name }))
        .max(8)
        .default([]),
    }),
  ),
  /** Rules that sound alike and are no pair, with the reason. */
  left: z.record(name, z.string().min(1).max(512)),
});
export type Peer = z.infer<typeof peerDocument>;

/** What `content/checks/peers` has by that name. Raises `ContentError` with the place of what is wrong. */
export function loadPeer(name: string): Peer {
  const texts = readContent(contentFolder("checks/peers")).filter((text) => text.name.endsWith(`/${name}.yaml`));
  const [document] = readDocuments(texts, peerDocument);
  if (!document) throw new Error(`content/checks/peers has no ${name}.yaml`);
  const { value, place } = document;
  const known = new Set(loadLibrary().checks.host.map(({ id }) => id));
  for (const [at, { check, differs }] of value.pairs.entries()) {
    if (!known.has(check)) throw invalid(place(["pairs", at, "check"]), `no check ${check} of a host`);
    const because = differs.find((one) => !(one.because in value.reasons))?.because;
    if (because !== undefined) throw invalid(place(["pairs", at, "differs"]), `no reason ${because}`);
  }
  return value;
}
