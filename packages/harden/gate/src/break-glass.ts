import type { AdmissionRequest } from "@bulwark/admission";
import { fieldOf } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import type { Surroundings } from "./guard.ts";

/** Annotation with the reason. */
const reasonKey = "bulwark.dev/break-glass";
/** Annotation with the end: RFC 3339, at most a day ahead. */
const untilKey = "bulwark.dev/break-glass-until";
const longest = 24 * 3_600_000;

/** Who may `bypass` `policies.bulwark.dev` in the namespace, by name where only some, may break the glass. */
const bypassPermission = { verb: "bypass", group: "bulwark.dev", resource: "policies" } as const;

/** What a request asks for that wants past a policy; `refusal` says why it is not even asked for rightly. */
export type Glass = { readonly reason: string; readonly until: number } | { readonly refusal: string } | null;

/** Whether the object of a request asks to be let past, with a reason and an end. */
export function glassOf({ object }: AdmissionRequest, now: number): Glass {
  const reason = fieldOf(object, "metadata", "annotations", reasonKey);
  if (reason === undefined) return null;
  const end = fieldOf(object, "metadata", "annotations", untilKey);
  if (typeof reason !== "string" || reason.trim().length < 8) {
    return { refusal: `${reasonKey} must give a reason of at least 8 characters` };
  }
  const until = typeof end === "string" ? Date.parse(end) : Number.NaN;
  if (!Number.isFinite(until)) return { refusal: `${untilKey} must say until when, such as 2026-01-31T18:00:00Z` };
  if (until <= now) return { refusal: `${untilKey} is over` };
  if (until > now + longest) return { refusal: `${untilKey} is more than 24 hours ahead` };
  return { reason: reason.trim().slice(0, 512), until };
}

/** Null where the user may; else why not. An API server that does not answer means no. */
export async function mayBypass(
  policy: string,
  { namespace, userInfo }: AdmissionRequest,
  { ask }: Surroundings,
): Promise<string | null> {
  const who = userInfo.username;
  const no = `${who} may not bypass policies.bulwark.dev/${policy}${namespace === "" ? "" : ` in ${namespace}`}`;
  try {
    const answer = await ask({ subject: undefined, ...bypassPermission, namespace, name: policy });
    if (answer.allowed) return null;
    return answer.error === undefined ? no : `${no}: ${answer.error}`;
  } catch (error) {
    return `whether ${who} may bypass ${policy} could not be asked: ${errorText(error)}`;
  }
}
