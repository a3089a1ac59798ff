import { compact, flag, oneOf, text, type Raw } from "../../search.ts";
import { encryptions, verdicts, type Encryption, type Verdict } from "./ends.ts";

/** `both`: side by side, where there is room. */
export const networkViews = ["map", "table", "both"] as const;
/** How far back: an hour, a day, a week. */
export const spans = ["1h", "24h", "7d"] as const;
export type Span = (typeof spans)[number];
export const defaultSpan: Span = "24h";

export interface NetworkSearch {
  view?: (typeof networkViews)[number] | undefined;
  span?: Span | undefined;
  cluster?: string | undefined;
  namespace?: string | undefined;
  verdict?: Verdict | undefined;
  encryption?: Encryption | undefined;
  /** Only what is new. */
  fresh?: true | undefined;
  /** `443/TCP`. */
  port?: string | undefined;
  q?: string | undefined;
  /** Groups that are open. */
  open?: string[] | undefined;
  /** Of the edge, node or link of the map whose detail is open; one of the three. */
  edge?: string | undefined;
  node?: string | undefined;
  link?: string | undefined;
  /** Policies are open: `all`, `new`, or the id of a document. */
  policies?: string | undefined;
}

/** One thing at a time stands beside the map. */
export const noDetail = {
  edge: undefined,
  node: undefined,
  link: undefined,
  policies: undefined,
} satisfies NetworkSearch;

/** So that an address stays short, and a map readable. */
const mostOpen = 12;

export function networkSearch(raw: Raw): NetworkSearch {
  return compact({
    view: oneOf(networkViews, raw["view"]),
    span: oneOf(spans, raw["span"]),
    cluster: text(raw["cluster"], 128),
    namespace: text(raw["namespace"]),
    verdict: oneOf(verdicts, raw["verdict"]),
    encryption: oneOf(encryptions, raw["encryption"]),
    fresh: flag(raw["fresh"]),
    port: text(raw["port"], 16),
    q: text(raw["q"]),
    open: words(raw["open"]),
    edge: text(raw["edge"], 2048),
    node: text(raw["node"], 2048),
    link: text(raw["link"], 4096),
    policies: text(raw["policies"]),
  });
}

function words(value: unknown): string[] | undefined {
  const parts: unknown[] = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  const found = parts.filter((part): part is string => typeof part === "string" && part !== "");
  return found.length === 0 ? undefined : [...new Set(found)].slice(-mostOpen);
}

const hour = 3_600_000;
export const spanMs: Record<Span, number> = { "1h": hour, "24h": 24 * hour, "7d": 7 * 24 * hour };
