import type { Place } from "./ast.ts";

/** Raised by parser and compiler; the loader catches it and says which rule it is of. */
export class ConditionError extends Error {
  readonly place: Place;
  /** How to mend it. */
  readonly remedy: string;
  /** A field or an event type that is not known, which `skip-if-unknown-filter` forgives. */
  readonly isUnknown: boolean;

  constructor(message: string, place: Place, remedy: string, isUnknown = false) {
    super(message);
    this.name = "ConditionError";
    this.place = place;
    this.remedy = remedy;
    this.isUnknown = isUnknown;
  }
}
