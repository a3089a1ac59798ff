import { evaluateChecks, loadChecks, type Check } from "@bulwark/check";
import { contentFolder } from "@bulwark/content";
import type { CheckResult } from "@bulwark/model";
import { dockerfileFacts } from "./dockerfile-facts.ts";

const loaded = new Map<string, Check[]>();

/** The checks of a kind, `dockerfile` or `image`, which is the name of their facts too. Read once. */
export function checksOf(kind: "dockerfile" | "image"): Check[] {
  const known = loaded.get(kind);
  if (known) return known;
  const checks = loadChecks(contentFolder(`checks/${kind}`), [kind]);
  loaded.set(kind, checks);
  return checks;
}

/** What the checks say of a Dockerfile's text; `name` is what it is called in the results. */
export function checkDockerfile(source: string, name: string): CheckResult[] {
  return evaluateChecks(checksOf("dockerfile"), dockerfileFacts(source), name);
}
