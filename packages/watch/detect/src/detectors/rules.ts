import type { Engine, Match } from "@bulwark/rules";
import type { Detection, Detector } from "../detector.ts";
import { ruleEvent } from "../fields/event.ts";

/** An engine's rules as one more detector: every match is an alert of its own rule. */
export function rulesDetector(engine: Pick<Engine, "match">): Detector {
  return {
    id: "rules",
    title: "Rules",
    description: "Rules in Falco's language.",
    remedy: "",
    severity: "medium",
    techniques: [],
    detect(observation) {
      const event = ruleEvent(observation);
      if (event === undefined) return undefined;
      const matches = engine.match(event);
      return matches.length === 0 ? undefined : matches.map((match) => toDetection(match, observation.process));
    },
  };
}

const evidenceKept = 63;

function toDetection({ rule, output, fields }: Match, subject: Detection["subject"]): Detection {
  const { id, name, description, check, remedy, severity, techniques, tags } = rule;
  const told = Object.entries(fields).map(([key, value]) => ({ key: key.slice(0, 64), value: String(value) }));
  return {
    subject,
    // The output names what happened to what: the same again in the same container is the same alert.
    key: `${subject.executable} ${output}`.slice(0, 4096),
    evidence: [{ key: "output", value: output }, ...told.slice(0, evidenceKept)],
    severity,
    // Ours know less than a detector that has followed the story; a user's own rule is always raised.
    yields: tags.includes("bulwark"),
    techniques: techniques.slice(0, 16),
    rule: {
      id,
      title: name.slice(0, 256),
      description: description.slice(0, 2048),
      remedy: [check, remedy]
        .filter((text) => text !== "")
        .join(" ")
        .slice(0, 2048),
    },
  };
}
