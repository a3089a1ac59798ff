import { errorText, type PolicyViolation, type RunningTally } from "@bulwark/model";
import type { Context } from "../context.ts";
import { Refusal } from "../http/problem.ts";
import { wishOf } from "../jobs/judge-running.ts";
import { knownClusters, openSource } from "../kubernetes/sources.ts";
import { definitionsIn } from "./definitions.ts";
import { surveyCluster } from "./survey.ts";

interface Previewed extends RunningTally {
  policy: string;
  violations: Omit<PolicyViolation, "policy" | "since">[];
}
export interface Preview {
  policies: Previewed[];
  looks: { cluster: string; judgedAt: number; durationMs: number; objects: number; problems: string[] }[];
}

/** Of a policy, in all clusters together. */
const mostShown = 200;
/** Each reads whole clusters. */
const mostAtOnce = 2;
let running = 0;

/** What the policies of a text would say of all that runs. Nothing is kept. */
export async function preview(text: string, context: Context): Promise<Preview> {
  let definitions;
  try {
    definitions = definitionsIn("text", text, "console", context.policies.images);
  } catch (error) {
    throw new Refusal("invalid", errorText(error), { remedy: "mend the policy" });
  }
  if (definitions.length === 0) throw new Refusal("invalid", "there is no policy in it");
  if (running >= mostAtOnce) {
    throw new Refusal("too-many", `${running} previews are under way already`, { retryAfter: 5 });
  }
  running++;
  try {
    return await previewOf(wishOf(definitions, context), context);
  } finally {
    running--;
  }
}

async function previewOf(wish: ReturnType<typeof wishOf>, context: Context): Promise<Preview> {
  const policies = new Map(
    wish.definitions.map(({ name }): [string, Previewed] => [
      name,
      { policy: name, judged: 0, denied: 0, noted: 0, unknown: 0, dropped: 0, violations: [] },
    ]),
  );
  const looks: Preview["looks"] = [];
  for (const known of await knownClusters(context)) {
    const { name: cluster } = known;
    const judgedAt = Date.now();
    try {
      using open = await openSource(known, context);
      const { results, objects, durationMs, problems } = await surveyCluster({
        ...{ ...wish, open, signal: context.closing },
      });
      looks.push({ cluster, judgedAt, durationMs, objects, problems: [...problems] });
      for (const { policy, violations, judged, denied, noted, unknown, dropped } of results) {
        const all = policies.get(policy);
        if (!all) continue;
        all.judged += judged;
        all.denied += denied;
        all.noted += noted;
        all.unknown += unknown;
        all.dropped += dropped;
        const room = mostShown - all.violations.length;
        all.violations.push(...violations.slice(0, room).map((one) => ({ ...one, cluster })));
      }
    } catch (error) {
      looks.push({ cluster, judgedAt, durationMs: Date.now() - judgedAt, objects: 0, problems: [errorText(error)] });
    }
  }
  return { policies: [...policies.values()], looks };
}
