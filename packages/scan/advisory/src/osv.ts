import { z } from "zod";

/** A record of the Open Source Vulnerability format, as far as it is read. https://ossf.github.io/osv-schema/ */
const events = z
  .array(
    z.object({
      introduced: z.string().optional(),
      fixed: z.string().optional(),
      last_affected: z.string().optional(),
      limit: z.string().optional(),
    }),
  )
  .max(10_000);
const score = z.object({ type: z.string(), score: z.string() });
export const osvRecord = z.object({
  id: z.string().min(1).max(128),
  published: z.string().nullish(),
  withdrawn: z.string().nullish(),
  aliases: z.array(z.string()).max(1000).nullish(),
  upstream: z.array(z.string()).max(1000).nullish(),
  summary: z.string().nullish(),
  details: z.string().nullish(),
  severity: z.array(score).nullish(),
  references: z.array(z.object({ url: z.string() })).nullish(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: z.string(), name: z.string() }).nullish(),
        severity: z.array(score).nullish(),
        ranges: z.array(z.object({ type: z.string(), events })).nullish(),
        versions: z.array(z.string()).max(100_000).nullish(),
        ecosystem_specific: z.looseObject({ urgency: z.unknown().optional() }).nullish(),
      }),
    )
    .max(10_000)
    .nullish(),
});
export type OsvRecord = z.infer<typeof osvRecord>;

/** From `from` on (inclusive) to `to`: `[from, to)`, or `[from, to]` where `closed`. Null is without an end. */
export interface Range {
  from: string;
  to: string | null;
  closed: boolean;
}

/** The ranges of a record's events, in their order. Git ranges name commits and say nothing of versions. */
export function rangesOf(ranges: { type: string; events: z.infer<typeof events> }[]): Range[] {
  const found: Range[] = [];
  for (const { type, events: list } of ranges) {
    if (type === "GIT") continue;
    let from: string | undefined;
    for (const event of list) {
      if (event.introduced !== undefined) {
        if (from !== undefined) found.push({ from, to: null, closed: false });
        from = event.introduced;
      }
      const to = event.fixed ?? event.last_affected;
      if (to !== undefined) {
        found.push({ from: from ?? "0", to, closed: event.fixed === undefined });
        from = undefined;
      }
    }
    if (from !== undefined) found.push({ from, to: null, closed: false });
  }
  return found;
}
