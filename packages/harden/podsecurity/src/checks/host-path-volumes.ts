import { quoted, type Check } from "../check.ts";
import { isSet, items, text } from "../pod.ts";

export const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  versions: [
    {
      from: 0,
      test({ spec }) {
        const bad = items(spec["volumes"]).filter((volume) => isSet(volume["hostPath"]));
        if (bad.length === 0) return null;
        const names = quoted(bad.map(({ name }) => text(name)));
        return { reason: "hostPath volumes", detail: `${bad.length === 1 ? "volume" : "volumes"} ${names}` };
      },
    },
  ],
};
