import { z } from "zod";
import type { Decision, Report, ReportedVulnerability } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";
import { productOf, timeOf } from "./common.ts";
import type { Statement } from "./statement.ts";
import type { VexFormat } from "./vex-format.ts";

const component = z.object({ "bom-ref": z.string().optional(), purl: z.string().optional() });
const document = z.object({
  metadata: z.object({ timestamp: z.string().optional(), component: component.optional() }).optional(),
  components: z.array(component).max(1_000_000).optional(),
  vulnerabilities: z
    .array(
      z.object({
        id: z.string().optional(),
        references: z.array(z.object({ id: z.string() })).optional(),
        updated: z.string().optional(),
        affects: z
          .array(z.object({ ref: z.string() }))
          .max(100_000)
          .optional(),
        analysis: z
          .object({ state: z.string().optional(), justification: z.string().optional(), detail: z.string().optional() })
          .optional(),
      }),
    )
    .max(1_000_000)
    .optional(),
});

/** https://cyclonedx.org/docs/1.6/json/#vulnerabilities_items_analysis */
export const cycloneDxVex: VexFormat = {
  is: (value) => value["bomFormat"] === "CycloneDX" && Array.isArray(value["vulnerabilities"]),
  read(value) {
    const { components, metadata, vulnerabilities } = document.parse(value);
    const known = [...(components ?? []), ...(metadata?.component ? [metadata.component] : [])];
    const purls = new Map(known.map((item) => [item["bom-ref"] ?? item.purl ?? "", item.purl]));
    return (vulnerabilities ?? []).flatMap((item): Statement[] => {
      const status = statuses[item.analysis?.state ?? ""];
      if (status === undefined || item.id === undefined) return [];
      const products = (item.affects ?? []).map(({ ref }) => ({ id: purls.get(ref) ?? purlOfLink(ref), parts: [] }));
      return [
        {
          names: [item.id, ...(item.references ?? []).map(({ id }) => id)],
          products,
          status,
          reason: [item.analysis?.justification, item.analysis?.detail].filter(Boolean).join(": "),
          time: timeOf(item.updated ?? metadata?.timestamp),
        },
      ];
    });
  },
  write(report) {
    const purls = [...new Set((report.vulnerabilities ?? []).map(({ purl }) => purl))];
    return jsonText({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: {
        timestamp: report.createdAt,
        tools: { components: [{ type: "application", name: report.tool.name, version: report.tool.version }] },
        component: {
          type: report.target.kind === "image" ? "container" : "application",
          name: report.target.name,
          "bom-ref": productOf(report),
        },
      },
      components: purls.map((purl) => ({ type: "library", name: purl, purl, "bom-ref": purl })),
      vulnerabilities: cycloneDxVulnerabilities(report),
    });
  },
};

/** The vulnerabilities of a report as CycloneDX has them; they refer to packages by package URL. */
function cycloneDxVulnerabilities(report: Report): object[] {
  return (report.vulnerabilities ?? []).map((item) => ({
    "bom-ref": `${item.id}/${item.purl}`,
    id: item.id,
    source: { name: item.feed },
    ...(item.aliases.length > 0 && { references: item.aliases.map((id) => ({ id, source: { name: item.feed } })) }),
    ratings: [ratingOf(item)],
    ...(item.summary !== "" && { description: item.summary }),
    ...(item.fixedVersion !== null && { recommendation: `Update ${item.package} to ${item.fixedVersion}` }),
    advisories: item.references.filter((url) => /^https?:\/\//.test(url)).map((url) => ({ url })),
    ...(item.published !== null && { published: item.published }),
    affects: [{ ref: item.purl }],
    analysis: analysisOf(item.decision),
  }));
}

const statuses: Readonly<Record<string, Statement["status"] | undefined>> = {
  not_affected: "not-affected",
  false_positive: "not-affected",
  resolved: "fixed",
  resolved_with_pedigree: "fixed",
  exploitable: "affected",
  in_triage: "under-investigation",
};

/** `urn:cdx:serial/version#ref` refers into another document; refs are package URLs as a rule. */
function purlOfLink(ref: string): string {
  const hash = ref.startsWith("urn:cdx:") ? ref.indexOf("#") : -1;
  try {
    return decodeURIComponent(ref.slice(hash + 1));
  } catch {
    return ref.slice(hash + 1);
  }
}

function ratingOf({ severity, cvss }: ReportedVulnerability): object {
  const names = { negligible: "info" } as const;
  const rating = { severity: severity in names ? "info" : severity };
  if (cvss === null) return rating;
  const [, version] = /^CVSS:(\d\.\d)/.exec(cvss.vector) ?? [];
  const method =
    version === undefined ? "CVSSv2" : `CVSSv${version.replace(".", "").replace(/^30$/, "3").replace(/^40$/, "4")}`;
  return { ...rating, score: cvss.score, method, vector: cvss.vector };
}

function analysisOf(decision: Decision | null): object {
  if (decision === null) return { state: "in_triage" };
  if (decision.status === "accepted")
    return { state: "exploitable", response: ["will_not_fix"], detail: decision.reason };
  return { state: decision.status === "fixed" ? "resolved" : "not_affected", detail: decision.reason };
}
