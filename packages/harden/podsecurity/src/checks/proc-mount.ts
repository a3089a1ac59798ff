import { containersText, quoted, type Check, type Denial } from "../check.ts";
import { hasUserNamespace, isSet, text, type PodView } from "../pod.ts";

/** `/proc` stays masked; from 1.35 on, a pod with a user namespace of its own may unmask it at this level. */
export const procMount: Check = {
  id: "procMount",
  level: "baseline",
  versions: [
    { from: 0, test: masked },
    { from: 35, test: (pod) => (hasUserNamespace(pod) ? null : masked(pod)) },
  ],
};

/** At level restricted `/proc` stays masked in any case. */
export const procMountRestricted: Check = {
  id: "procMount_restricted",
  level: "restricted",
  versions: [{ from: 35, test: masked }],
};

function masked({ containers }: PodView): Denial | null {
  const bad = containers.filter(({ security: { procMount: mount } }) => isSet(mount) && mount !== "Default");
  if (bad.length === 0) return null;
  const values = quoted(bad.map(({ security }) => text(security["procMount"])));
  const detail = `${containersText(bad.map(({ name }) => name))} must not set securityContext.procMount to ${values}`;
  return { reason: "procMount", detail };
}
