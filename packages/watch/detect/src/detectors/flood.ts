import { defineDetector } from "../detector.ts";

/** A container makes more events than its share: what it did meanwhile is not known, which is worth an alert itself. */
export const flood = defineDetector({
  id: "flood",
  title: "Container makes more events than can be looked at",
  description:
    "A container did so much at once that some of it was passed over, counted but not seen. No other container's events were lost. It may be a busy program, or somebody who hides among noise.",
  remedy: "Look at what the process is. If that is its ordinary work, raise the share of events (agent.eventRate).",
  severity: "medium",
  techniques: ["T1562.001"],
  needs: ["flood"],
  detect({ process, record }) {
    return {
      subject: process,
      key: process.executable,
      evidence: [{ key: "passedOver", value: String(record.passedOver) }],
    };
  },
});
