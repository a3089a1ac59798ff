import { constants } from "node:os";
import type { Attribution } from "@bulwark/model";
import type { FieldValue, RuleEvent } from "@bulwark/rules";
import type { Observation } from "../detector.ts";
import type { Entry } from "../process-table.ts";
import { activityFields, type Told } from "./activity.ts";
import { containerFields } from "./container.ts";
import { dnsFields } from "./dns.ts";
import { processFields } from "./process.ts";

/** What getters look at. */
export class Subject {
  readonly observation: Observation;
  readonly process: Entry;
  readonly attribution: Attribution;
  readonly told: Told;
  #ancestors: readonly Entry[] | undefined;

  constructor(observation: Observation, told: Told) {
    this.observation = observation;
    this.process = observation.process;
    this.attribution = observation.attribution ?? (observation.container ? "container" : "unknown");
    this.told = told;
  }

  /** Nearest first. */
  get ancestors(): readonly Entry[] {
    return (this.#ancestors ??= this.observation.table.ancestors(this.process));
  }
}

export type Getter = (subject: Subject, argument?: string) => FieldValue;

/**
 * An observation as rules see it: fields are worked out when a rule asks for them. Undefined for what has no counterpart
 * among the system calls that rules know.
 */
export function ruleEvent(observation: Observation): RuleEvent | undefined {
  const told = activityFields(observation);
  if (told === undefined) return undefined;
  return new ObservedEvent(new Subject(observation, told));
}

/** A class, because there is one of each event that the kernel tells. */
class ObservedEvent implements RuleEvent {
  readonly source = "syscall";
  readonly type: string;
  readonly process: RuleEvent["process"];
  readonly #subject: Subject;

  constructor(subject: Subject) {
    this.type = subject.told.type;
    // What is not known yet must not be remembered.
    this.process = subject.attribution === "unknown" ? undefined : subject.process.memory;
    this.#subject = subject;
  }

  get(field: string, argument?: string): FieldValue {
    const own = this.#subject.told.fields[argument === undefined ? field : `${field}.${argument}`];
    return own ?? getters.get(field)?.(this.#subject, argument);
  }
}

const getters: ReadonlyMap<string, Getter> = new Map<string, Getter>([
  ["evt.type", ({ told }) => told.type],
  ["syscall.type", ({ told }) => told.type],
  ["evt.source", () => "syscall"],
  ["evt.dir", () => "<"],
  ["evt.rawtime", ({ observation }) => observation.time * 1e6],
  ["evt.time.iso8601", ({ observation }) => new Date(observation.time).toISOString()],
  ["evt.rawres", ({ told }) => told.result],
  ["evt.res", ({ told }) => resultName(told.result)],
  ["evt.failed", ({ told }) => told.result < 0],
  ["evt.args", ({ told }) => argumentsText(told)],
  ["evt.info", ({ told }) => argumentsText(told)],
  ...processFields,
  ...containerFields,
  ...dnsFields,
]);

function shown(value: FieldValue): string {
  return typeof value === "string" ? value : String(value);
}

const errorNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, code]) => [code, name]),
);

function resultName(result: number): string {
  return result < 0 ? (errorNames.get(-result) ?? `E${-result}`) : "SUCCESS";
}

function argumentsText({ fields }: Told): string | undefined {
  const named = Object.entries(fields).filter(([name]) => name.startsWith("evt.arg."));
  return named.length === 0 ? undefined : named.map(([name, value]) => `${name.slice(8)}=${shown(value)}`).join(" ");
}
