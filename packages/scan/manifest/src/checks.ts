import { createRequire } from "node:module";
import type { Check, Facts } from "@bulwark/check";
import { contentFolder } from "@bulwark/content";
import type { CheckResult } from "@bulwark/model";
import { dockerfileFacts } from "./dockerfile-facts.ts";

/** When it is needed: the threads of a scan import this and evaluate nothing. */
const engine = (): typeof import("@bulwark/check") => require("@bulwark/check") as typeof import("@bulwark/check");
const require = createRequire(import.meta.url);

const loaded = new Map<string, Check[]>();

/** The checks of a kind, `dockerfile` or `image`, which is the name of their facts too. Read once. */
export function checksOf(kind: "dockerfile" | "image"): Check[] {
  const known = loaded.get(kind);
  if (known) return known;
  const checks = engine().loadChecks(contentFolder(`checks/${kind}`), [kind]);
  loaded.set(kind, checks);
  return checks;
}

/** What the checks say of a Dockerfile's text; `name` is what it is called in the results. */
export function checkDockerfile(source: string, name: string): CheckResult[] {
  return judge("dockerfile", dockerfileFacts(source), name);
}

/** What the checks of a kind say of facts; `name` is what they are of. */
export function judge(kind: "dockerfile" | "image", facts: Facts, name: string): CheckResult[] {
  return engine().evaluateChecks(checksOf(kind), facts, name);
}
