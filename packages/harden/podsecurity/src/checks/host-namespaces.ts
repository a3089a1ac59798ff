import type { Check } from "../check.ts";
import { isOn } from "../pod.ts";

export const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ spec }) {
        const used = ["hostNetwork", "hostPID", "hostIPC"].filter((name) => isOn(spec[name]));
        if (used.length === 0) return null;
        return { reason: "host namespaces", detail: used.map((name) => `${name}=true`).join(", ") };
      },
    },
  ],
};
