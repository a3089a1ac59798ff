import { z } from "zod";
import { checkStates, severity } from "@bulwark/model";

const expression = z.string().min(1).max(8192);
const text = z.string().min(1).max(1024);

/** What a check must say of given facts. */
const checkCase = z.strictObject({
  name: text,
  /** What the check is given, in the form that its kind reads: facts, or the text of a Dockerfile. */
  given: z.unknown(),
  /** Facts that could not be looked at, by their path, and why. */
  missing: z.record(z.string(), text).default({}),
  expect: z.enum(checkStates),
  /** A part of the reason that is given. */
  reason: text.optional(),
  /** Lines of what fails. */
  lines: z.array(z.number().int().min(1)).optional(),
});
export type CheckCase = z.infer<typeof checkCase>;

/** A check as it is written: one document of a YAML file. */
export const checkDocument = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,126}[a-z0-9]$/, "small letters, digits and hyphens"),
  /** What holds where it passes: `The image does not run as root`. */
  title: text,
  severity,
  /** Why anybody should care. */
  why: z.string().min(1).max(4096),
  remedy: z.string().min(1).max(4096),
  /** `CIS Docker 1.8.0 4.1`, an address. */
  references: z.array(text).max(16).default([]),
  tags: z.array(text).max(16).default([]),
  /** Whether the check is about these facts at all; CEL, a bool. */
  applies: expression.optional(),
  /** One sentence for where it is not about them; what is in braces is CEL. */
  otherwise: text.optional(),
  /** What is looked at one by one; CEL, a list. `pass`, `reason` and `evidence` then know `item`. */
  each: expression.optional(),
  /** What it means that the list is empty; a check that says nobody may holds where nobody is. */
  empty: z.enum(["pass", "not-applicable"]).optional(),
  /** Whether it holds; CEL, a bool. */
  pass: expression,
  /** One sentence for where it does not hold; what is in braces is CEL. */
  reason: text,
  /** What was seen; CEL by its name. */
  evidence: z.record(z.string().min(1).max(256), expression).default({}),
  cases: z.array(checkCase).max(64),
});
export type CheckDocument = z.infer<typeof checkDocument>;
