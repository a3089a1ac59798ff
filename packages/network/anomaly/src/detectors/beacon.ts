import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { median, medianDeviation } from "../robust.ts";

const kept = 48;
const least = 16;
const shortest = 5_000;

interface Calls {
  times: number[];
  sizes: number[];
}

/**
 * Calls home: connections to one place outside at even intervals with even sizes. Median and MAD let jitter and a few
 * missed calls pass; both are taken relative to the interval, so that hours are judged as minutes are.
 */
export const beacon: Detector = {
  id: "beacon",
  title: "A workload calls out at even intervals",
  severity: "medium",
  techniques: ["T1071", "T1573"],
  needs: ["bytes"],
  start({ profile }) {
    const pairs = createBounded<Calls>(20_000, () => ({ times: [], sizes: [] }));
    return {
      see(flow) {
        if (flow.server.workload || flow.dns || flow.connections !== 1 || flow.result !== "established")
          return undefined;
        if (profile?.knows(flow)) return undefined;
        const calls = pairs.of(`${endText(flow.client)}\n${endText(flow.server)}\n${flow.port}`);
        calls.times.push(flow.first);
        calls.sizes.push(flow.bytesOut);
        if (calls.times.length > kept) {
          calls.times.shift();
          calls.sizes.shift();
        }
        if (calls.times.length <= least || calls.times.length % 4 !== 0) return undefined;
        const times = calls.times.toSorted((a, b) => a - b);
        const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
        const gap = median(gaps);
        if (gap < shortest) return undefined;
        const jitter = medianDeviation(gaps) / gap;
        const size = median(calls.sizes);
        const spread = size === 0 ? 0 : medianDeviation(calls.sizes) / size;
        const score = 0.6 * Math.max(0, 1 - jitter / 0.5) + 0.4 * Math.max(0, 1 - spread / 0.5);
        if (score < 0.65) return undefined;
        return {
          score,
          explanation: `${calls.times.length} connections, one each ${seconds(gap)} (half of them within ${Math.round(jitter * 100)} % of that), ${Math.round(size)} bytes each (within ${Math.round(spread * 100)} %)`,
          evidence: [
            { key: "interval", value: seconds(gap) },
            { key: "jitter", value: jitter.toFixed(2) },
          ],
        };
      },
      get forgotten() {
        return pairs.forgotten;
      },
    };
  },
};

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
