import { createAuthority, isSealed, lifeOf, openAuthority, seal, unseal, type Authority } from "@bulwark/identity";
import type { Store } from "@bulwark/store";
import { z } from "zod";

const setting = "admission.authorities";
const lease = "admission/authorities";
const purpose = "the key of the webhook's authority";
const stored = z.array(z.strictObject({ certificate: z.string(), key: z.string() })).max(8);

/** Days that an authority is good for; the next one is made after two thirds of them. */
const authorityDays = 365;
/** Days that the listener's certificate is good for; it is made anew after half of them. */
const serverDays = 30;
const day = 86_400_000;

export interface Serving {
  readonly cert: string;
  readonly key: string;
}

/**
 * Who signs the webhook's certificate, shared by all replicas. A new authority is first told to every cluster, beside the
 * one before, and only then signs: at no moment does an API server meet a certificate that it does not trust.
 */
export interface Authorities {
  /** Reads them, and makes a new one where it is time. What was known stays where the store does not answer. */
  refresh(now: number): Promise<void>;
  /** What clusters are to trust: PEM, one after the other. */
  bundle(): string;
  /** The cluster trusts these since then. */
  published(cluster: string, bundle: string, now: number): void;
  /** The certificate for the listener; the same object until it changes. */
  serving(clusters: readonly string[], now: number): Promise<Serving>;
  /** Makes a new authority before its time. */
  rotate(now: number): Promise<void>;
}

export interface AuthorityOptions {
  readonly store: Store;
  readonly holder: string;
  /** That encrypts keys in the store. */
  readonly secret: string | undefined;
  /** Names and addresses that API servers call the webhook by. */
  readonly names: readonly string[];
  /** Milliseconds until every API server of a cluster knows what was told to it. */
  readonly settle: number;
}

export async function openAuthorities(options: AuthorityOptions, now: number): Promise<Authorities> {
  const { store, holder, secret, names, settle } = options;
  let pairs: z.infer<typeof stored> = [];
  const trusted = new Map<string, { bundle: string; since: number }>();
  let current: (Serving & { issuer: string; renewAt: number }) | undefined;

  async function read(): Promise<void> {
    pairs = stored.parse(JSON.parse((await store.settings.get(setting)) ?? "[]"));
  }

  async function add(at: number, wanted: () => boolean): Promise<void> {
    if (!(await store.leases.take(lease, holder, 10_000))) return;
    try {
      await read();
      if (!wanted()) return;
      const { certificate, key } = await createAuthority(at, { name: "Bulwark webhook", days: authorityDays });
      const kept = pairs.filter((pair) => lifeOf(pair.certificate).expiresAt > at).slice(-2);
      const next = [...kept, { certificate, key: secret === undefined ? key : seal(key, secret, purpose) }];
      await store.settings.set(setting, JSON.stringify(next));
      pairs = next;
    } finally {
      await store.leases.release(lease, holder);
    }
  }

  function isDue(at: number): boolean {
    const newest = pairs.at(-1);
    return newest === undefined || lifeOf(newest.certificate).expiresAt - at < (authorityDays / 3) * day;
  }

  /** The newest that every cluster has had time to trust; one that ends soon signs no more in any case. */
  function issuer(clusters: readonly string[], at: number): z.infer<typeof stored>[number] {
    const known = ({ certificate }: { certificate: string }): boolean =>
      clusters.every((cluster) => {
        const told = trusted.get(cluster);
        return told !== undefined && told.bundle.includes(certificate.trim()) && told.since + settle <= at;
      });
    const usable = pairs.filter(({ certificate }) => lifeOf(certificate).expiresAt - at > day);
    const found = usable.findLast(known) ?? usable[0] ?? pairs.at(-1);
    if (!found) throw new Error("the webhook has no authority");
    return found;
  }

  const authorities: Authorities = {
    async refresh(at) {
      await read();
      if (isDue(at)) await add(at, () => isDue(at));
    },
    bundle: () => pairs.map(({ certificate }) => certificate.trim()).join("\n") + "\n",
    published(cluster, bundle, at) {
      if (trusted.get(cluster)?.bundle !== bundle) trusted.set(cluster, { bundle, since: at });
    },
    async serving(clusters, at) {
      const pair = issuer(clusters, at);
      if (current?.issuer === pair.certificate && at < current.renewAt) return current;
      const authority: Authority = await openAuthority({ ...pair, key: opened(pair.key, secret) });
      const { certificate, key } = await authority.issueServer(at, { names, days: serverDays });
      const renewAt = at + (serverDays / 2) * day;
      current = { cert: `${certificate}\n${pair.certificate}\n`, key, issuer: pair.certificate, renewAt };
      return current;
    },
    rotate: async (at) => add(at, () => true),
  };
  await authorities.refresh(now);
  // Another replica makes it at this very moment.
  for (let attempt = 0; pairs.length === 0 && attempt < 100; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await authorities.refresh(now);
  }
  return authorities;
}

function opened(key: string, secret: string | undefined): string {
  if (!isSealed(key)) return key;
  if (secret === undefined)
    throw new Error(`${purpose} is encrypted, and no key is given (server.keyFile, BULWARK_KEY)`);
  return unseal(key, secret, purpose);
}
