import type { Severity } from "@bulwark/model";
import type { Bound } from "./compile/bound.ts";
import type { Format } from "./format.ts";
import type { Priority } from "./load/definitions.ts";

/** A rule that can be matched. */
export interface Rule {
  readonly name: string;
  /** The name in lower case with dashes: what alerts and settings call it. */
  readonly id: string;
  readonly source: string;
  readonly description: string;
  readonly condition: Bound;
  readonly output: Format;
  readonly outputText: string;
  readonly priority: Priority;
  /** Said by the rule, else what the priority comes to. */
  readonly severity: Severity;
  readonly tags: readonly string[];
  /** MITRE ATT&CK, from the tags: `T1611`. */
  readonly techniques: readonly string[];
  /** Of `mitre_…` tags: `privilege escalation`. */
  readonly tactics: readonly string[];
  /** What to look at. Empty where the rule does not say. */
  readonly check: string;
  /** What to do about it. Empty where the rule does not say. */
  readonly remedy: string;
  readonly isEnabled: boolean;
  readonly capture: boolean;
  /** Milliseconds. */
  readonly captureDuration: number | undefined;
  /** What `evt.type` can be where it fires; undefined for anything. */
  readonly eventTypes: readonly string[] | undefined;
  readonly file: string;
  readonly line: number;
}

export interface Ruleset {
  readonly rules: readonly Rule[];
}
