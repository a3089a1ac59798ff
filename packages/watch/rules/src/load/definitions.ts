import type { Item, Text } from "./item.ts";

/** What a rule file says, before any of it is understood: every part with its place. */

export interface ListDefinition {
  readonly name: string;
  readonly item: Item;
  items: readonly Text[];
  isUsed: boolean;
}

export interface MacroDefinition {
  readonly name: string;
  readonly item: Item;
  /** More than one where conditions were appended; they are joined with a blank. */
  condition: readonly Text[];
  isUsed: boolean;
}

export const priorities = [
  ...(["emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"] as const),
] as const;
/** Falco's, worst first. */
export type Priority = (typeof priorities)[number];

export interface RuleDefinition {
  readonly name: string;
  readonly item: Item;
  readonly source: Text | undefined;
  condition: readonly Text[];
  output: readonly Text[];
  description: readonly Text[];
  priority: Priority;
  isEnabled: boolean;
  tags: readonly string[];
  exceptions: readonly ExceptionDefinition[];
  warnEventTypes: boolean;
  skipIfUnknown: boolean;
  capture: boolean;
  captureDuration: number | undefined;
  extras: Extras;
}

/** Ours, beside what Falco knows; Falco passes over them. */
interface Extras {
  /** One of the model's severities. */
  readonly severity: Text | undefined;
  /** What a person should look at, in the order of use. */
  readonly check: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface ExceptionDefinition {
  readonly name: string;
  readonly item: Item;
  /** One field as text, or a list of them. Undefined where values are appended to an exception that is there. */
  readonly fields: Text | readonly Text[] | undefined;
  readonly comps: Text | readonly Text[] | undefined;
  values: readonly ExceptionValue[];
}

/** A value for one field, or values for a list of fields; each of those one value, or a list. */
export type ExceptionValue = Text | readonly (Text | readonly Text[])[];

export interface Definitions {
  readonly lists: Map<string, ListDefinition>;
  readonly macros: Map<string, MacroDefinition>;
  readonly rules: Map<string, RuleDefinition>;
}
