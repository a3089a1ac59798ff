import { parseReference } from "@bulwark/image";
import { errorText, type PolicyVerdict } from "@bulwark/model";
import { notScanned, type ImageSource, type OpenImage } from "./facts.ts";
import type { ImagePolicy } from "./policy.ts";

/** What a policy says of an image. */
export interface Verdict {
  readonly digest: string;
  /** Every validation that does not hold, with what was looked for and found. */
  readonly failures: readonly { readonly rule: number; readonly message: string }[];
}

export interface ImageJudge {
  /**
   * The verdict, from memory where there is one for this digest, policy and trust. Many who ask at once wait for one
   * answer. Null where the policy is not about such images. Raises where the image cannot be looked at. `digest`: what the
   * reference means, where that is known; else the registry is asked which one its tag has.
   */
  judge(policy: ImagePolicy, reference: string, digest?: string): Promise<Verdict | null>;
  /** The same from memory alone, at once: undefined where it is not there. */
  known(policy: ImagePolicy, reference: string): Verdict | null | undefined;
  /** `registry/repository:tag@sha256:…`: the digest that the tag has, as the judge knows it. */
  pin(reference: string): Promise<string>;
}

export interface JudgeOptions {
  readonly source: ImageSource;
  now?(): number;
}

const minute = 60_000;
/** How long a tag is taken to be where it was. */
const tagLife = minute;
/** A verdict on what cannot change (a digest, its signatures) is kept long; one on a scan not, for weaknesses become known. */
const goodLife = 60 * minute;
const scanLife = minute;
/** Whoever signs after a refusal tries again soon. */
const badLife = 30_000;
const most = 5000;
/** Characters that are told of one. */
const mostOfMessage = 8192;

interface Kept<T> {
  readonly value: Promise<T>;
  /** Undefined until it is there. */
  settled: T | undefined;
  until: number;
}

export function createImageJudge({ source, now = Date.now }: JudgeOptions): ImageJudge {
  const digests = new Map<string, Kept<string>>();
  const verdicts = new Map<string, Kept<Verdict>>();

  async function digestOf(reference: string): Promise<string> {
    const { digest } = parseReference(reference);
    if (digest !== null) return digest;
    return once(
      digests,
      reference,
      now,
      () => tagLife,
      async () => {
        await using image = await source.open(reference);
        return image.digest();
      },
    );
  }

  return {
    async judge(policy, reference, known) {
      const { registry, repository } = parseReference(reference);
      if (!policy.covers(reference)) return null;
      const digest = known ?? (await digestOf(reference));
      const life = ({ failures }: Verdict): number =>
        failures.length > 0 ? badLife : policy.needs.report ? scanLife : goodLife;
      const key = keyOf(policy, reference, digest);
      return once(verdicts, key, now, life, async () => {
        await using image = await source.open(`${registry}/${repository}@${digest}`);
        return evaluate(policy, { reference, digest, image, source, now: now() });
      });
    },
    known(policy, reference) {
      if (!policy.covers(reference)) return null;
      const digest = parseReference(reference).digest ?? inMemory(digests, reference, now());
      return digest === undefined ? undefined : inMemory(verdicts, keyOf(policy, reference, digest), now());
    },
    async pin(reference) {
      const { digest } = parseReference(reference);
      return digest === null ? `${reference}@${await digestOf(reference)}` : reference;
    },
  };
}

/**
 * What a policy says of an image, as reports tell it, from the answer of a judge: what cannot be known is `unknown`, with
 * the reason. Null where the policy is not about such images.
 */
export async function policyVerdictOf(
  { name }: Pick<ImagePolicy, "name">,
  image: string,
  answer: Promise<Verdict | null>,
): Promise<PolicyVerdict | null> {
  const about = { policy: name, image };
  try {
    const verdict = await answer;
    if (!verdict) return null;
    const messages = verdict.failures.map(({ message }) => message.slice(0, mostOfMessage));
    return { ...about, verdict: messages.length === 0 ? "allowed" : "denied", messages };
  } catch (error) {
    return { ...about, verdict: "unknown", messages: [errorText(error).slice(0, mostOfMessage)] };
  }
}

function keyOf({ hash }: ImagePolicy, reference: string, digest: string): string {
  return `${hash} ${reference} ${digest}`;
}

function inMemory<T>(memory: Map<string, Kept<T>>, key: string, now: number): T | undefined {
  const known = memory.get(key);
  return known && known.until > now ? known.settled : undefined;
}

/** From memory, or asked once for all who want it now. A failure is forgotten at once. */
async function once<T>(
  memory: Map<string, Kept<T>>,
  key: string,
  now: () => number,
  life: (value: T) => number,
  ask: () => Promise<T>,
): Promise<T> {
  const known = memory.get(key);
  if (known && known.until > now()) return known.value;
  const kept: Kept<T> = { value: ask(), settled: undefined, until: Infinity };
  memory.delete(key);
  memory.set(key, kept);
  const [oldest] = memory.keys();
  if (memory.size > most && oldest !== undefined) memory.delete(oldest);
  try {
    const value = await kept.value;
    kept.until = now() + life(value);
    kept.settled = value;
    return value;
  } catch (error) {
    if (memory.get(key) === kept) memory.delete(key);
    throw error;
  }
}

interface Looking {
  reference: string;
  digest: string;
  image: OpenImage;
  source: ImageSource;
  now: number;
}

const costLimit = 10_000_000;

async function evaluate(policy: ImagePolicy, looking: Looking): Promise<Verdict> {
  const { reference, digest, image, source, now } = looking;
  const { needs, trusted, validations } = policy;
  const { registry, repository, tag } = parseReference(reference);
  const name = `${registry}/${repository}`;
  const verified = needs.signatures ? await image.verify(digest, trusted) : null;
  const config = needs.config || needs.age ? await image.config(digest, needs.config ? "all" : "created") : {};
  const report = needs.report ? await source.report(digest, name) : notScanned;
  const created = typeof config["created"] === "string" ? Date.parse(config["created"]) : Number.NaN;
  const facts = {
    ...{ reference, name, registry, repository, tag: tag ?? "", digest },
    signatures: verified?.signatures ?? [],
    attestations: verified?.attestations ?? [],
    config: config["config"] ?? {},
    // An image that does not say when it was made is as old as can be.
    age: Number.isNaN(created) ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.floor((now - created) / 1000)),
    report,
  };
  const failures = validations.flatMap(({ program, message }, rule) => {
    const found = verified && verified.account.length > 0 ? ` (${verified.account.join("; ")})` : "";
    try {
      if (program.evaluate({ image: facts }, { costLimit }) === true) return [];
      return [{ rule, message: `${reference}: ${message}${found}` }];
    } catch (error) {
      return [
        { rule, message: `${reference}: expression '${program.expression}' resulted in error: ${errorText(error)}` },
      ];
    }
  });
  return { digest, failures };
}
