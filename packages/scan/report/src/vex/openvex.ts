import { z } from "zod";
import type { Decision, Report, ReportedVulnerability } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";
import type { Product, Statement } from "./statement.ts";
import { documentId, productOf, timeOf } from "./common.ts";
import type { VexFormat } from "./vex-format.ts";

const identified = z.object({
  "@id": z.string().optional(),
  identifiers: z.record(z.string(), z.string()).optional(),
});
const product = z.union([
  z.string(),
  identified.extend({ subcomponents: z.array(z.union([z.string(), identified])).optional() }),
]);
const vulnerability = z.union([
  z.string(),
  z.object({ "@id": z.string().optional(), name: z.string().optional(), aliases: z.array(z.string()).optional() }),
]);
const document = z.object({
  timestamp: z.string().optional(),
  statements: z
    .array(
      z.object({
        vulnerability,
        timestamp: z.string().optional(),
        products: z.array(product).max(10_000).optional(),
        status: z.enum(["not_affected", "affected", "fixed", "under_investigation"]),
        justification: z.string().optional(),
        impact_statement: z.string().optional(),
        status_notes: z.string().optional(),
      }),
    )
    .max(100_000),
});

/** https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md */
export const openVex: VexFormat = {
  is: (value) => typeof value["@context"] === "string" && value["@context"].includes("openvex"),
  read(value) {
    const { statements, timestamp } = document.parse(value);
    return statements.map((item): Statement => {
      const named = typeof item.vulnerability === "string" ? { name: item.vulnerability } : item.vulnerability;
      const names = [named.name, named["@id"]?.replace(/^.*\//, ""), ...(named.aliases ?? [])];
      return {
        names: names.filter((name) => name !== undefined),
        products: (item.products ?? []).flatMap(productsOf),
        status: statuses[item.status],
        reason: [item.justification, item.impact_statement ?? item.status_notes].filter(Boolean).join(": "),
        time: timeOf(item.timestamp ?? timestamp),
      };
    });
  },
  write(report) {
    return jsonText({
      "@context": "https://openvex.dev/ns/v0.2.0",
      "@id": documentId(report),
      author: "Bulwark",
      timestamp: report.createdAt,
      version: 1,
      statements: (report.vulnerabilities ?? []).map((item) => statementOf(item, report)),
    });
  },
};

const statuses = {
  not_affected: "not-affected",
  affected: "affected",
  fixed: "fixed",
  under_investigation: "under-investigation",
} as const;

function productsOf(value: z.infer<typeof product>): Product[] {
  if (typeof value === "string") return [{ id: value, parts: [] }];
  const parts = (value.subcomponents ?? []).flatMap((part) => (typeof part === "string" ? [part] : idsOf(part)));
  return idsOf(value).map((id) => ({ id, parts }));
}

function idsOf(value: z.infer<typeof identified>): string[] {
  const ids = [value["@id"], value.identifiers?.["purl"]].filter((id) => id !== undefined);
  return [...new Set(ids)];
}

function statementOf(item: ReportedVulnerability, report: Report): object {
  return {
    vulnerability: { name: item.id, ...(item.aliases.length > 0 && { aliases: item.aliases }) },
    products: [{ "@id": productOf(report), subcomponents: [{ "@id": item.purl }] }],
    ...said(item.decision),
  };
}

/** What is put up with is there: nothing else may be said of it. A reason is prose, so that it is no justification of the list. */
function said(decision: Decision | null): object {
  if (decision === null) return { status: "under_investigation" };
  if (decision.status === "accepted") return { status: "affected", action_statement: decision.reason };
  if (decision.status === "fixed") return { status: "fixed", status_notes: decision.reason };
  return { status: "not_affected", impact_statement: decision.reason };
}
