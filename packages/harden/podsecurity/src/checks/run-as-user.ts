import { settersText, type Check, type Denial } from "../check.ts";
import { hasUserNamespace, type PodView } from "../pod.ts";

export const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  versions: [
    { from: 23, test: notRoot },
    { from: 35, test: (pod) => (hasUserNamespace(pod) ? null : notRoot(pod)) },
  ],
};

function notRoot({ security, containers }: PodView): Denial | null {
  const pod = security["runAsUser"] === 0;
  const bad = containers.filter((container) => container.security["runAsUser"] === 0).map(({ name }) => name);
  if (!pod && bad.length === 0) return null;
  return { reason: "runAsUser=0", detail: `${settersText(pod, bad)} must not set runAsUser=0` };
}
