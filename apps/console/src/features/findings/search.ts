import type { FindingState, Severity } from "@bulwark/model";
import { compact, flag, manyOf, oneOf, severities, text, type Raw } from "../../search.ts";

export const findingStates = ["open", "deferred", "fixed"] as const satisfies FindingState[];

export interface FindingSearch {
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
