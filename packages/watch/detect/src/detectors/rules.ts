import type { Alert } from "@bulwark/model";
import type { Engine, Match } from "@bulwark/rules";
import { observationKinds, type Detection, type Detector } from "../detector.ts";
import { ruleEvent } from "../fields/event.ts";
import { isFor } from "../served.ts";

/** An engine's rules as one more detector: every match is an alert of its own rule. */
export function rulesDetector(engine: Pick<Engine, "match">): Detector {
  return {
    id: "rules",
    title: "Rules",
    description: "Rules in Falco's language.",
    remedy: "",
    severity: "medium",
    techniques: [],
    needs: observationKinds,
    detect(observation) {
      const event = ruleEvent(observation);
      if (event === undefined) return undefined;
      const matches = engine.match(event);
      if (matches.length === 0) return undefined;
      return matches
        .filter(({ rule }) => isFor(rule, observation.record))
        .map((match) => new RuleDetection(match, observation.process));
    },
  };
}

/** A class, because its evidence is only asked of what is new: a program in a loop matches ten thousand times a minute. */
class RuleDetection implements Detection {
  readonly subject: Detection["subject"];
  /** The output names what happened to what: the same again in the same container is the same alert. */
  readonly key: string;
  readonly severity: Alert["severity"];
  readonly techniques: string[];
  readonly rule: NonNullable<Detection["rule"]>;
  /** Ours know less than a detector that has followed the story; a user's own rule is always raised. */
  readonly yields: boolean;
  readonly #match: Match;

  constructor(match: Match, subject: Detection["subject"]) {
    const about = aboutRule(match.rule);
    this.subject = subject;
    this.key = `${subject.executable} ${match.output}`.slice(0, 4096);
    this.severity = about.severity;
    this.techniques = about.techniques;
    this.rule = about;
    this.yields = match.rule.tags.includes("bulwark");
    this.#match = match;
  }

  get evidence(): Detection["evidence"] {
    return ruleAlert(this.#match).evidence;
  }
}

const evidenceKept = 63;

type OfAlert = Pick<Alert, "rule" | "title" | "description" | "remedy" | "severity" | "techniques">;
type AboutRule = OfAlert & { readonly id: string };
const known = new WeakMap<Match["rule"], AboutRule>();

/** What every alert of a rule says, within the model's bounds. */
function aboutRule(rule: Match["rule"]): AboutRule {
  const before = known.get(rule);
  if (before) return before;
  const id = rule.id.slice(0, 128);
  const about = {
    id,
    rule: id,
    title: rule.name.slice(0, 256),
    description: rule.description.slice(0, 2048),
    remedy: [rule.check, rule.remedy]
      .filter((text) => text !== "")
      .join(" ")
      .slice(0, 2048),
    severity: rule.severity,
    techniques: rule.techniques.slice(0, 16),
  };
  known.set(rule, about);
  return about;
}

/** What an alert says of the rule that fired, and of what it fired at; within the model's bounds. */
export function ruleAlert({ rule, output, fields }: Match): OfAlert & Pick<Alert, "evidence"> {
  const told = Object.entries(fields).map(([key, value]) => ({
    key: key.slice(0, 64),
    value: String(value).slice(0, 4096),
  }));
  const { id, ...about } = aboutRule(rule);
  return {
    ...about,
    evidence: [{ key: "output", value: output.slice(0, 4096) }, ...told.slice(0, evidenceKept)],
  };
}
