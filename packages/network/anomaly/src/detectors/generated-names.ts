import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { createRecent } from "../recent.ts";
import { entropy } from "../robust.ts";

const window = 1_800_000;
const least = 12;

/** Names made by an algorithm, most of which do not exist: a search for who commands. Never alone. */
export const generatedNames: Detector = {
  id: "generated-names",
  title: "Names that look generated are asked for",
  severity: "medium",
  techniques: ["T1568.002"],
  needs: ["dns"],
  start() {
    const clients = createBounded(20_000, () => createRecent(window, 256));
    return {
      see(flow) {
        if (flow.dns?.code !== "NXDOMAIN") return undefined;
        const label = flow.dns.name.split(".").at(-2) ?? "";
        if (!looksGenerated(label)) return undefined;
        const names = clients.of(endText(flow.client));
        names.add(label, flow.first);
        const count = names.count(flow.first);
        if (count < least) return undefined;
        return {
          weak: true,
          score: Math.min(1, 0.5 + count / 100),
          explanation: `${count} different names that look generated do not exist, within half an hour; ordinary is less than ${least}`,
          evidence: [{ key: "names", value: names.list().slice(-10).join(", ") }],
          about: "",
        };
      },
      get forgotten() {
        return clients.forgotten;
      },
    };
  },
};

/** Long, with few repeats, and hard to pronounce: four consonants in a row, few vowels, or digits among letters. */
function looksGenerated(label: string): boolean {
  if (label.length < 8 || entropy(label) < 2.5) return false;
  const vowels = label.replaceAll(/[^aeiouy]/g, "").length / label.length;
  return /[bcdfghjklmnpqrstvwxz]{4}/.test(label) || vowels < 0.25 || /[a-z]\d+[a-z]+\d/.test(label);
}
