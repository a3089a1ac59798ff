import type { Constraints, Guard } from "./guard.ts";

/**
 * Policies that are asked in one call. `fail`: the API server refuses what could not be asked; `later`: as these, once their
 * date has come; `ignore`: it lets it through.
 */
const buckets = ["ignore", "fail", "later"] as const;
type Bucket = (typeof buckets)[number];

/** A call that an API server makes: the path of its address, read and written. */
export interface Route {
  readonly side: Guard["side"];
  readonly cluster: string;
  readonly bucket: Bucket;
  /** Of the calls of a bucket: each asks for one version of a resource only. */
  readonly part: number;
}

function pathOf({ side, cluster, bucket, part }: Route): string {
  return `/${side}/${encodeURIComponent(cluster)}/${bucket}/${part}`;
}

export function routeOf(path: string): Route | undefined {
  const match = /^\/(validate|mutate)\/([\w.%-]{1,759})\/(ignore|fail|later)\/(\d{1,3})(?:\?|$)/.exec(path);
  if (!match) return undefined;
  const [, side, cluster = "", bucket, part] = match;
  try {
    return {
      ...{ side: side as Route["side"], bucket: bucket as Bucket },
      ...{ cluster: decodeURIComponent(cluster), part: Number(part) },
    };
  } catch {
    return undefined;
  }
}

/** The configuration changes a while after a date has come: until then both calls ask about the policy. */
const overlap = 60_000;

/** How long it is remembered which policies a call asks about: dates come by the second. */
const remembered = 1000;
const memory = new WeakMap<readonly Guard[], Map<string, { at: number; guards: Guard[] }>>();

/** The policies that a call asks about. */
export function guardsOf(
  { side, bucket, part }: Omit<Route, "cluster">,
  guards: readonly Guard[],
  now: number,
): readonly Guard[] {
  const calls = memory.get(guards) ?? new Map<string, { at: number; guards: Guard[] }>();
  memory.set(guards, calls);
  const key = `${side} ${bucket} ${part}`;
  const known = calls.get(key);
  if (known && now >= known.at && now - known.at < remembered) return known.guards;
  const here = parts(guards.filter((guard) => guard.side === side && isIn(bucket, guard, now)))[part] ?? [];
  calls.set(key, { at: now, guards: here });
  return here;
}

function isIn(bucket: Bucket, { setting: { mode, failurePolicy, from } }: Guard, now: number): boolean {
  const strict = mode === "enforce" && failurePolicy === "Fail";
  if (bucket === "ignore") return !strict;
  if (!strict) return false;
  return bucket === "fail" ? from === null || from <= now : from !== null && from > now - overlap;
}

/**
 * With `matchPolicy: Equivalent` an API server sends an object in the version that a rule names. Two policies that name
 * different versions of one resource cannot share a call: each must get the object in its own.
 */
function parts(guards: readonly Guard[]): Guard[][] {
  const made: { guards: Guard[]; versions: Map<string, string> }[] = [];
  for (const guard of guards.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const own = versionsOf(guard.constraints);
    const fits = made.find(({ versions }) => [...own].every(([key, list]) => (versions.get(key) ?? list) === list));
    const place = fits ?? { guards: [], versions: new Map<string, string>() };
    if (!fits) made.push(place);
    place.guards.push(guard);
    for (const [key, list] of own) place.versions.set(key, list);
  }
  return made.map((one) => one.guards);
}

function versionsOf({ resourceRules = [] }: Constraints): Map<string, string> {
  return new Map(
    resourceRules.flatMap(({ apiGroups, apiVersions, resources }) =>
      apiGroups.flatMap((group) =>
        resources.map((resource) => [`${group}/${resource.split("/")[0]}`, apiVersions.toSorted().join(",")] as const),
      ),
    ),
  );
}

/** Where an API server reaches the webhook. */
export type Address =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } };

export interface WebhookOptions {
  /** Of the configuration objects. */
  readonly name: string;
  readonly cluster: string;
  readonly address: Address;
  /** Certificates in PEM, one or several. */
  readonly authorities: string;
  /** Never asked about what is in these: the system's own, and Bulwark's. */
  readonly excludedNamespaces: readonly string[];
  readonly timeoutSeconds: number;
}

export const managedBy = { "app.kubernetes.io/managed-by": "bulwark" } as const;

/** The webhook configuration of one side; null where no policy needs it. */
export function webhookConfiguration(
  side: Guard["side"],
  guards: readonly Guard[],
  options: WebhookOptions,
  now: number,
): { metadata: { name: string; labels: typeof managedBy }; webhooks: object[] } | null {
  const webhooks = buckets.flatMap((bucket) =>
    parts(guards.filter((guard) => guard.side === side && isIn(bucket, guard, now))).map((here, part) =>
      webhook({ side, bucket, part, cluster: options.cluster }, here, options),
    ),
  );
  return webhooks.length === 0 ? null : { metadata: { name: options.name, labels: managedBy }, webhooks };
}

function webhook(route: Route, guards: readonly Guard[], options: WebhookOptions): object {
  const { side, bucket, part } = route;
  const { address, authorities, excludedNamespaces, timeoutSeconds } = options;
  const path = pathOf(route);
  const whereabouts =
    "url" in address ? { url: `${address.url.replace(/\/$/, "")}${path}` } : { service: { ...address.service, path } };
  const suffix = part === 0 ? "" : `-${part}`;
  return {
    name: `${bucket}${suffix}.${side}.bulwark.dev`,
    clientConfig: { ...whereabouts, caBundle: Buffer.from(authorities).toString("base64") },
    rules: rulesOf(guards),
    failurePolicy: bucket === "fail" ? "Fail" : "Ignore",
    matchPolicy: "Equivalent",
    namespaceSelector: {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: excludedNamespaces }],
    },
    objectSelector: {},
    sideEffects: "NoneOnDryRun",
    timeoutSeconds,
    admissionReviewVersions: ["v1"],
    ...(side === "mutate" && { reinvocationPolicy: "IfNeeded" }),
  };
}

/** What any of the policies wants to be asked about, and nothing else. Names of resources are looked at by the policies. */
function rulesOf(guards: readonly Guard[]): object[] {
  const rules = guards.flatMap(({ constraints }) => constraints.resourceRules ?? []);
  const merged = new Map<string, Set<string>>();
  for (const { apiGroups, apiVersions, operations, resources, scope = "*" } of rules) {
    const rest = {
      apiGroups: apiGroups.toSorted(),
      apiVersions: apiVersions.toSorted(),
      operations: operations.toSorted(),
    };
    const key = JSON.stringify({ ...rest, scope });
    const together = merged.get(key) ?? new Set();
    merged.set(key, together);
    for (const resource of resources) together.add(resource);
  }
  return [...merged].map(([key, names]) => ({ ...(JSON.parse(key) as object), resources: [...names].toSorted() }));
}
