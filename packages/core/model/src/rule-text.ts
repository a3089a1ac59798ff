import { z } from "zod";
import { nodeId } from "./agent.ts";

/** A rule as it is written, beyond 8,192 characters cut. */
export const ruleText = z.strictObject({
  /** As the one who reads it calls it. */
  file: z.string().max(512),
  line: z.number().int().min(1),
  text: z.string().max(8192),
});
export type RuleText = z.infer<typeof ruleText>;

/** A rule of the user's own that has raised an alert on a node: only that has the text. */
export const toldRule = ruleText.extend({
  node: nodeId,
  /** Id, as the alert has it. */
  rule: z.string().max(128),
  /** When the node began to run it with this text, milliseconds since the epoch by the clock of its alerts. */
  since: z.number().int(),
});
export type ToldRule = z.infer<typeof toldRule>;
