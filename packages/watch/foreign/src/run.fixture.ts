import { createDetectors, rulesDetector } from "@bulwark/detect";
import type { Alert, Event } from "@bulwark/model";
import { createEngine, loadRules } from "@bulwark/rules";
import { createForeign, type ForeignSummary } from "./foreign.ts";

/** Reads lines as they come from a pipe, in pieces that fall anywhere. */
export async function readBytes(
  bytes: Uint8Array,
  { rules = "", host = false } = {},
): Promise<{ alerts: Alert[]; events: Event[]; summary: ForeignSummary }> {
  const alerts: Alert[] = [];
  const events: Event[] = [];
  const { ruleset, errors } = loadRules([{ name: "rules.yaml", text: rules }]);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  const engine = createEngine(ruleset);
  const foreign = createForeign({
    node: "here",
    host,
    alertsOnly: false,
    detectors: () => [...createDetectors(), rulesDetector(engine)],
    emit(records) {
      for (const record of records) {
        if (record.type === "alert") alerts.push(record.alert);
        if (record.type === "event") events.push(record.event);
      }
    },
  });
  await foreign.read("stream", pieces(bytes));
  return { alerts, events, summary: foreign.summary() };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1009) yield bytes.subarray(at, at + 1009);
}
