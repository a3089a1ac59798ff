import { finding, findingDay, findingGroup, findingKind, findingState } from "@bulwark/model";
import { z } from "zod";
import { cursor, id, limit, page, severityList, text } from "./parts.ts";
import type { Route } from "./route.ts";

const filter = {
  severity: severityList,
  state: findingState.optional(),
  kind: findingKind.optional(),
  /** The CVE, kind of secret, rule or check, whole. */
  subject: z.string().max(512).optional(),
  /** Name of a package, whole. */
  package: z.string().max(512).optional(),
  image: z.string().max(1400).optional(),
  fixable: z.stringbool().optional(),
  exploited: z.stringbool().optional(),
  running: z.stringbool().optional(),
  q: text,
};

/** What is weak in images. */
export const findingRoutes = {
  listFindings: {
    method: "GET",
    path: "/api/v1/findings",
    tag: "findings",
    access: "read",
    summary: "Findings, worst first",
    query: z.strictObject({ ...filter, cursor, limit }),
    response: page(finding),
  },
  listFindingGroups: {
    method: "GET",
    path: "/api/v1/finding-groups",
    tag: "findings",
    access: "read",
    summary: "Findings of all images by what they are (CVE, kind of secret, rule, check) or by package, worst first",
    query: z.strictObject({ by: z.enum(["subject", "package"]).default("subject"), ...filter, cursor, limit }),
    response: page(findingGroup),
  },
  getFindingTrend: {
    method: "GET",
    path: "/api/v1/finding-trend",
    tag: "findings",
    access: "read",
    summary: "Open findings at the end of each day that was noted, and now; oldest first",
    query: z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) }),
    response: z.object({ items: z.array(findingDay) }),
  },
  getFinding: {
    method: "GET",
    path: "/api/v1/findings/{id}",
    tag: "findings",
    access: "read",
    summary: "One finding; the id is its fingerprint",
    params: id,
    response: finding,
  },
  updateFinding: {
    method: "PATCH",
    path: "/api/v1/findings/{id}",
    tag: "findings",
    access: "write",
    summary: "Defer or reopen a finding",
    params: id,
    body: z.strictObject({ state: z.enum(["open", "deferred"]) }),
    response: finding,
  },
} as const satisfies Record<string, Route>;
