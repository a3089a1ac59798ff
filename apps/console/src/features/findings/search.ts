import type { FindingKind, FindingState, Severity } from "@bulwark/model";
import { compact, flag, manyOf, oneOf, severities, text, type Raw } from "../../search.ts";
import { findingKinds } from "./finding-words.ts";

export const findingStates = ["open", "deferred", "fixed"] as const satisfies FindingState[];

export const findingViews = ["weaknesses", "packages", "trend"] as const;
export type FindingView = (typeof findingViews)[number];

export interface FindingSearch {
  /** Absent: one by one. */
  view?: FindingView | undefined;
  kind?: FindingKind | undefined;
  /** The CVE, kind of secret, rule or check. */
  subject?: string | undefined;
  package?: string | undefined;
  severity?: Severity[] | undefined;
  state?: FindingState | undefined;
  fixable?: true | undefined;
  exploited?: true | undefined;
  running?: true | undefined;
  /** Key of an image. */
  image?: string | undefined;
  q?: string | undefined;
  /** Fingerprint of the finding whose detail is open. */
  id?: string | undefined;
}

export function findingSearch(raw: Raw): FindingSearch {
  return compact({
    view: oneOf(findingViews, raw["view"]),
    kind: oneOf(findingKinds, raw["kind"]),
    subject: text(raw["subject"], 512),
    package: text(raw["package"], 512),
    severity: manyOf(severities, raw["severity"]),
    state: oneOf(findingStates, raw["state"]),
    fixable: flag(raw["fixable"]),
    exploited: flag(raw["exploited"]),
    running: flag(raw["running"]),
    image: text(raw["image"], 1400),
    q: text(raw["q"]),
    id: text(raw["id"]),
  });
}

export type FindingFilter = Omit<FindingSearch, "id" | "view">;

/** The filter as the API takes it. */
export function queryOf({ severity, fixable, exploited, running, ...filter }: FindingFilter) {
  return {
    ...filter,
    severity: severity?.join(","),
    fixable: fixable && ("true" as const),
    exploited: exploited && ("true" as const),
    running: running && ("true" as const),
  };
}
