import { containersText, type Check, type Denial } from "../check.ts";
import { isWindows, type PodView } from "../pod.ts";

export const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  versions: [
    { from: 8, test: forbidden },
    { from: 25, test: (pod) => (isWindows(pod) ? null : forbidden(pod)) },
  ],
};

function forbidden({ containers }: PodView): Denial | null {
  const bad = containers.filter(({ security }) => security["allowPrivilegeEscalation"] !== false);
  if (bad.length === 0) return null;
  const names = containersText(bad.map(({ name }) => name));
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${names} must set securityContext.allowPrivilegeEscalation=false`,
  };
}
