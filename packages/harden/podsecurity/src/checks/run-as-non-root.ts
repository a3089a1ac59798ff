import { containersText, settersText, type Check, type Denial } from "../check.ts";
import { hasUserNamespace, isSet, type Fields, type PodView } from "../pod.ts";

export const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  versions: [
    { from: 0, test: required },
    { from: 35, test: (pod) => (hasUserNamespace(pod) ? null : required(pod)) },
  ],
};

function required({ security, containers }: PodView): Denial | null {
  const refuses = (context: Fields): boolean => isSet(context["runAsNonRoot"]) && context["runAsNonRoot"] !== true;
  const pod = refuses(security);
  const bad = containers.filter((container) => refuses(container.security)).map(({ name }) => name);
  const reason = "runAsNonRoot != true";
  if (pod || bad.length > 0) {
    return { reason, detail: `${settersText(pod, bad)} must not set securityContext.runAsNonRoot=false` };
  }
  if (security["runAsNonRoot"] === true) return null;
  const silent = containers.filter((container) => !isSet(container.security["runAsNonRoot"])).map(({ name }) => name);
  if (silent.length === 0) return null;
  return { reason, detail: `pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true` };
}
