import { endText, type Flow } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { createRecent } from "../recent.ts";

const hour = 3_600_000;
const least = 15;

/** Many ports of one server, most of them closed. Slow scans too: an hour is remembered. */
export const portScan: Detector = {
  id: "port-scan",
  title: "Ports of a server are tried one after the other",
  severity: "medium",
  techniques: ["T1046"],
  needs: ["results"],
  start() {
    const pairs = createBounded(20_000, () => ({ failed: createRecent(hour, 1024), open: createRecent(hour, 64) }));
    return {
      see(flow) {
        if (flow.dns || flow.port === 0) return undefined;
        const { failed, open } = pairs.of(`${endText(flow.client)}\n${endText(flow.server)}`);
        (didFail(flow) ? failed : open).add(String(flow.port), flow.first);
        const closed = failed.count(flow.first);
        if (closed < least || closed < open.count(flow.first)) return undefined;
        return {
          score: Math.min(1, 0.5 + closed / 200),
          explanation: `${closed} different ports of ${endText(flow.server)} refused or did not answer within an hour; ordinary is less than ${least}`,
          evidence: [{ key: "ports", value: failed.list().slice(-20).join(", ") }],
          about: endText(flow.server),
        };
      },
      get forgotten() {
        return pairs.forgotten;
      },
    };
  },
};

function didFail({ result }: Flow): boolean {
  return result === "refused" || result === "timed-out" || result === "denied";
}
