import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { createRecent } from "../recent.ts";
import { entropy } from "../robust.ts";

const hour = 3_600_000;
const least = 50;

/**
 * Data in names: many different long names below one domain. Content networks and telemetry do the same, so it never
 * stands alone.
 */
export const dnsTunnel: Detector = {
  id: "dns-tunnel",
  title: "Data may go out in names",
  severity: "medium",
  techniques: ["T1071.004", "T1048"],
  needs: ["dns"],
  start({ profile }) {
    const domains = createBounded(20_000, () => createRecent(hour, 512));
    return {
      see(flow) {
        if (!flow.dns) return undefined;
        const labels = flow.dns.name.split(".");
        const domain = labels.slice(-2).join(".");
        const below = labels.slice(0, -2).join("");
        // Inside of the cluster search domains make long names.
        if (below.length < 20 || entropy(below) < 3 || flow.dns.name.endsWith(".local")) return undefined;
        if (profile?.knowsPeer({ ...flow, server: { workload: null, ip: null, name: domain } })) return undefined;
        const names = domains.of(`${endText(flow.client)}\n${domain}`);
        names.add(below, flow.first);
        const count = names.count(flow.first);
        if (count < least) return undefined;
        return {
          weak: true,
          score: Math.min(1, 0.5 + count / 500),
          explanation: `${count} different long names below ${domain} within an hour; ordinary is less than ${least}`,
          evidence: [{ key: "example", value: flow.dns.name }],
          about: domain,
        };
      },
      get forgotten() {
        return domains.forgotten;
      },
    };
  },
};
