import { compact, flag, oneOf, text, type Raw } from "../../search.ts";

export const postureViews = ["sets", "assets", "exceptions"] as const;
export type PostureView = (typeof postureViews)[number];
export const answerers = ["platform", "customer"] as const;

export interface PostureSearch {
  view?: PostureView | undefined;
  /** Of which benchmark the checks are shown. */
  set?: string | undefined;
  /** Who answers for what, instead of the list of checks. */
  matrix?: true | undefined;
  /** `host/node-1`: of which host or cluster the results are shown. */
  asset?: string | undefined;
  failing?: true | undefined;
  answers?: (typeof answerers)[number] | undefined;
  q?: string | undefined;
  /** Of the check whose detail is open. */
  id?: string | undefined;
}

export function postureSearch(raw: Raw): PostureSearch {
  return compact({
    view: oneOf(postureViews, raw["view"]),
    set: text(raw["set"]),
    matrix: flag(raw["matrix"]),
    asset: text(raw["asset"], 300),
    failing: flag(raw["failing"]),
    answers: oneOf(answerers, raw["answers"]),
    q: text(raw["q"]),
    id: text(raw["id"]),
  });
}

/** `host/east/node-1` is the host `east/node-1`. */
export function assetOf(asset: string): { kind: "host" | "cluster"; name: string } {
  const slash = asset.indexOf("/");
  return { kind: asset.slice(0, slash) === "cluster" ? "cluster" : "host", name: asset.slice(slash + 1) };
}
