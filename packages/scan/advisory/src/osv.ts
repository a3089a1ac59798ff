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
  related: z.array(z.string()).max(1000).nullish(),
  summary: z.string().nullish(),
  details: z.string().nullish(),
  severity: z.array(score).nullish(),
  references: z.array(z.object({ url: z.string() })).nullish(),
  database_specific: z.looseObject({ severity: z.unknown().optional() }).nullish(),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: z.string(), name: z.string(), purl: z.string().optional() }).nullish(),
        severity: z.array(score).nullish(),
        ranges: z.array(z.object({ type: z.string(), events })).nullish(),
        versions: z.array(z.string()).max(100_000).nullish(),
        ecosystem_specific: z
          .looseObject({ urgency: z.unknown().optional(), binaries: z.unknown().optional() })
          .nullish(),
      }),
    )
    .max(10_000)
    .nullish(),
});
export type OsvRecord = z.infer<typeof osvRecord>;
export type OsvAffected = NonNullable<OsvRecord["affected"]>[number];
