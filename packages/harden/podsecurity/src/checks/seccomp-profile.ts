import { containersText, quoted, settersText, type Check, type Denial } from "../check.ts";
import { fields, isSet, isWindows, text, type Fields, type PodView } from "../pod.ts";

const podAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";

/** Not switched off: in the annotations before 1.19, in the fields since. */
export const seccompProfileBaseline: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  versions: [
    { from: 0, test: annotated },
    { from: 19, test: notUnconfined },
  ],
};

/** Switched on. */
export const seccompProfileRestricted: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  versions: [
    { from: 19, test: confined },
    { from: 25, test: (pod) => (isWindows(pod) ? null : confined(pod)) },
  ],
};

function annotated({ annotations, containers }: PodView): Denial | null {
  const keys = [podAnnotation, ...containers.map(({ name }) => containerAnnotation + name)];
  const bad = keys.filter((key) => isSet(annotations[key]) && !allowedAnnotation(text(annotations[key])));
  if (bad.length === 0) return null;
  const list = bad.map((key) => `${key}=${JSON.stringify(annotations[key])}`).join(", ");
  return { reason: "seccompProfile", detail: `forbidden ${bad.length === 1 ? "annotation" : "annotations"} ${list}` };
}

function allowedAnnotation(value: string): boolean {
  return value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
}

function notUnconfined({ security, containers }: PodView): Denial | null {
  const pod = typeOf(security);
  const wrong = containers.filter((container) => isWrong(typeOf(container.security)));
  const types = [pod, ...wrong.map((container) => typeOf(container.security))].filter(isWrong);
  if (types.length === 0) return null;
  const setters = settersText(
    isWrong(pod),
    wrong.map(({ name }) => name),
  );
  const detail = `${setters} must not set securityContext.seccompProfile.type to ${quoted(types.map(text))}`;
  return { reason: "seccompProfile", detail };
}

function confined(pod: PodView): Denial | null {
  const off = notUnconfined(pod);
  if (off || typeOf(pod.security) !== undefined) return off;
  const bare = pod.containers.filter(({ security }) => typeOf(security) === undefined).map(({ name }) => name);
  if (bare.length === 0) return null;
  const detail = `pod or ${containersText(bare)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: "seccompProfile", detail };
}

/** Undefined where there is no profile; a profile without a type is a wrong one. */
function typeOf(security: Fields): string | undefined {
  const profile = security["seccompProfile"];
  return isSet(profile) ? text(fields(profile)["type"]) : undefined;
}

function isWrong(type: string | undefined): boolean {
  return type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
}
