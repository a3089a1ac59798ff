import { compact, flag, oneOf, text, type Raw } from "../../search.ts";

export const policyViews = ["policies", "running", "decisions"] as const;
export type PolicyView = (typeof policyViews)[number];
export const inForce = ["off", "observe", "warn", "enforce"] as const;
export const sources = ["library", "file", "console", "cluster"] as const;
export const outcomes = ["denied", "warned", "observed", "changed", "bypassed", "missed", "allowed"] as const;
export const verdicts = ["denied", "noted", "unknown"] as const;

export interface PolicySearch {
  view?: PolicyView | undefined;
  mode?: (typeof inForce)[number] | undefined;
  source?: (typeof sources)[number] | undefined;
  /** Only those that find something in what runs. */
  finds?: true | undefined;
  outcome?: (typeof outcomes)[number] | undefined;
  verdict?: (typeof verdicts)[number] | undefined;
  cluster?: string | undefined;
  q?: string | undefined;
  /** Of the policy whose detail is open. */
  id?: string | undefined;
}

export function policySearch(raw: Raw): PolicySearch {
  return compact({
    view: oneOf(policyViews, raw["view"]),
    mode: oneOf(inForce, raw["mode"]),
    source: oneOf(sources, raw["source"]),
    finds: flag(raw["finds"]),
    outcome: oneOf(outcomes, raw["outcome"]),
    verdict: oneOf(verdicts, raw["verdict"]),
    cluster: text(raw["cluster"]),
    q: text(raw["q"]),
    id: text(raw["id"]),
  });
}
