import { severity } from "@bulwark/model";
import { z } from "zod";

/** What many routes take and answer with. */
export const limit = z.coerce.number().int().min(1).max(500).default(100);
export const cursor = z.string().max(4096).optional();
export const text = z.string().max(256).optional();
export const milliseconds = z.coerce.number().int().min(0).optional();
export const id = z.object({ id: z.string().max(1400) });

/** `severity=critical,high` */
export const severityList = z
  .string()
  .max(128)
  .transform((value, context) => {
    const parsed = z.array(severity).safeParse(value.split(","));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: "custom", message: "a comma-separated list of severities" });
    return z.NEVER;
  })
  .optional();

export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
