import { containersText, type Check } from "../check.ts";
import { isOn } from "../pod.ts";

export const privileged: Check = {
  id: "privileged",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ containers }) {
        const bad = containers.filter(({ security }) => isOn(security["privileged"])).map(({ name }) => name);
        if (bad.length === 0) return null;
        return { reason: "privileged", detail: `${containersText(bad)} must not set securityContext.privileged=true` };
      },
    },
  ],
};
