import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { median, medianDeviation } from "../robust.ts";

const hour = 3_600_000;
const pastHours = 168;
const leastPast = 6;
const leastBytes = 20 * 2 ** 20;

/** Far more bytes to the outside in an hour than in the workload's own hours before: median and MAD of up to a week. */
export const exfiltration: Detector = {
  id: "exfiltration",
  title: "A workload sends far more out than it ever did",
  severity: "high",
  techniques: ["T1041", "T1048"],
  needs: ["bytes"],
  start() {
    const clients = createBounded(20_000, () => ({ hour: -1, bytes: 0, past: [] as number[], limit: Infinity }));
    return {
      see(flow) {
        if (!flow.client.workload || flow.server.workload || flow.bytesOut === 0) return undefined;
        const state = clients.of(endText(flow.client));
        const at = Math.floor(flow.first / hour);
        if (at > state.hour) {
          if (state.hour >= 0) remember(state.past, state.bytes, at - state.hour - 1);
          state.hour = at;
          state.bytes = 0;
          state.limit = limitOf(state.past);
        }
        state.bytes += flow.bytesOut;
        if (state.bytes <= state.limit) return undefined;
        const usual = median(state.past);
        return {
          score: Math.min(1, 0.6 + state.bytes / state.limit / 20),
          explanation: `${mib(state.bytes)} to the outside in this hour; in ${state.past.length} hours before the median was ${mib(usual)}, and ${mib(state.limit)} would have been a lot`,
          evidence: [
            { key: "bytes", value: String(state.bytes) },
            { key: "median", value: String(Math.round(usual)) },
          ],
          about: "volume",
        };
      },
      get forgotten() {
        return clients.forgotten;
      },
    };
  },
};

/** Hours without a flow are hours with nothing sent. */
function remember(past: number[], bytes: number, silent: number): void {
  past.push(bytes, ...Array.from({ length: Math.min(silent, pastHours) }, () => 0));
  past.splice(0, Math.max(0, past.length - pastHours));
}

/** 1.4826 MAD are a standard deviation where values are normal; six of them, three times the median, and 20 MiB. */
function limitOf(past: readonly number[]): number {
  if (past.length < leastPast) return Infinity;
  const usual = median(past);
  return Math.max(usual + 6 * 1.4826 * medianDeviation(past), 3 * usual, leastBytes);
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
