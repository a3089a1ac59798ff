import type { ImageVerdict } from "@bulwark/contract";
import { modeOf } from "@bulwark/gate";
import {
  ImagePolicyError,
  policyVerdictOf,
  type ImageJudge,
  type ImagePolicy,
  type Verdict,
} from "@bulwark/imagepolicy";
import type { ImageSummary, PolicySetting } from "@bulwark/model";
import type { Definition } from "./definitions.ts";

export interface InForce {
  readonly definition: Definition;
  readonly setting: PolicySetting;
}

/** Milliseconds that somebody who looks at an image waits for its registry. */
const patience = 5000;
const byMode = { enforce: "denied", warn: "warned", observe: "observed" } as const;
const worstFirst = ["denied", "warned", "observed", "unknown", "allowed", "not-applicable"];

/**
 * What the image policies in force say of an image that was scanned, on a node or in a registry: the webhook's judge about
 * the name and the digest of the scan. Most of it is known here. Only signatures, attestations, configuration and age are
 * asked of the registry: once for all who look at the same time, and not again while the judge remembers the verdict. What
 * is not known in five seconds is unknown, with the reason; the answer that comes later is remembered for the next look.
 * The namespaces that a policy leaves out do not count: an image is in none.
 */
export async function imageVerdicts(
  { name, digest }: Pick<ImageSummary, "name" | "digest">,
  policies: readonly InForce[],
  images: ImageJudge,
  now: number,
): Promise<ImageVerdict[]> {
  const items = await Promise.all(
    policies.map(async ({ definition, setting }): Promise<ImageVerdict[]> => {
      const { image: policy, title } = definition;
      if (!policy) return [];
      const mode = modeOf({ setting }, now);
      const said = await policyVerdictOf(policy, name, inTime(ask(policy), name, patience));
      const verdict = said?.verdict === "denied" ? byMode[mode] : (said?.verdict ?? "not-applicable");
      return [{ policy: policy.name, title, mode, verdict, messages: said?.messages ?? [] }];
    }),
  );
  return items
    .flat()
    .toSorted(
      (a, b) => worstFirst.indexOf(a.verdict) - worstFirst.indexOf(b.verdict) || (a.policy < b.policy ? -1 : 1),
    );

  async function ask(policy: ImagePolicy): Promise<Verdict | null> {
    if (digest !== null) return images.judge(policy, name, digest);
    if (!policy.covers(name)) return null;
    throw new ImagePolicyError("unknown", `${name}: the scan found no digest of it: which image it is cannot be known`);
  }
}

/** Raises where the answer takes longer than that. */
export async function inTime<T>(answer: Promise<T>, reference: string, milliseconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${reference}: its registry did not answer in time`)),
    milliseconds,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
