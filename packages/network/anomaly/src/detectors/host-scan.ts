import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { createRecent } from "../recent.ts";

const hour = 3_600_000;
const least = 15;

/** One port of many servers, most of which are not there or do not answer. */
export const hostScan: Detector = {
  id: "host-scan",
  title: "One port is tried at many addresses",
  severity: "medium",
  techniques: ["T1018", "T1046"],
  needs: ["results"],
  start() {
    const clients = createBounded(20_000, () => ({ failed: createRecent(hour, 1024), open: createRecent(hour, 1024) }));
    return {
      see(flow) {
        if (flow.dns || flow.port === 0) return undefined;
        const { failed, open } = clients.of(`${endText(flow.client)}\n${flow.protocol} ${flow.port}`);
        const bad = flow.result === "refused" || flow.result === "timed-out" || flow.result === "denied";
        (bad ? failed : open).add(flow.server.ip ?? endText(flow.server), flow.first);
        const silent = failed.count(flow.first);
        if (silent < least || silent < open.count(flow.first)) return undefined;
        return {
          score: Math.min(1, 0.5 + silent / 200),
          explanation: `${flow.protocol} ${flow.port} was tried at ${silent} addresses that refused or did not answer within an hour; ordinary is less than ${least}`,
          evidence: [{ key: "addresses", value: failed.list().slice(-20).join(", ") }],
          about: String(flow.port),
        };
      },
      get forgotten() {
        return clients.forgotten;
      },
    };
  },
};
