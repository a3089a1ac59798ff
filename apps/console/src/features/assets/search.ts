import type { ScanOrigin, ScanState } from "@bulwark/model";
import { compact, flag, oneOf, text, type Raw } from "../../search.ts";

export interface ContainerSearch {
  state?: "running" | "stopped" | undefined;
  privileged?: true | undefined;
  node?: string | undefined;
  q?: string | undefined;
  /** The container whose detail is open. */
  id?: string | undefined;
}

export function containerSearch(raw: Raw): ContainerSearch {
  return compact({
    state: oneOf(["running", "stopped"], raw["state"]),
    privileged: flag(raw["privileged"]),
    node: text(raw["node"]),
    q: text(raw["q"]),
    id: text(raw["id"], 1400),
  });
}

const imageViews = ["findings", "packages", "policies"] as const;
export type ImageView = (typeof imageViews)[number];
const packageSorts = ["name", "-name", "source", "-source"] as const;

export interface ImageSearch {
  q?: string | undefined;
  /** Key of the image whose detail is open. */
  id?: string | undefined;
  view?: ImageView | undefined;
  /** Order of the packages; `-` turns it round. */
  sort?: (typeof packageSorts)[number] | undefined;
  /** What to look for among the packages. */
  package?: string | undefined;
}

export type ChangeImageSearch = (part: ImageSearch) => void;

export function imageSearch(raw: Raw): ImageSearch {
  return compact({
    q: text(raw["q"]),
    id: text(raw["id"], 1400),
    view: oneOf(imageViews, raw["view"]),
    sort: oneOf(packageSorts, raw["sort"]),
    package: text(raw["package"]),
  });
}

export const scanStates = ["running", "waiting", "failed", "done"] as const satisfies ScanState[];
export const scanOrigins = ["running", "node", "registry"] as const satisfies ScanOrigin[];

export interface ScanSearch {
  state?: ScanState | undefined;
  origin?: ScanOrigin | undefined;
  q?: string | undefined;
}

export function scanSearch(raw: Raw): ScanSearch {
  return compact({
    state: oneOf(scanStates, raw["state"]),
    origin: oneOf(scanOrigins, raw["origin"]),
    q: text(raw["q"]),
  });
}
