import { z } from "zod";
import type { ReportedVulnerability } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";
import { documentId, productOf, timeOf } from "./common.ts";
import type { Product, Statement } from "./statement.ts";
import type { VexFormat } from "./vex-format.ts";

const named = z.object({
  product_id: z.string(),
  name: z.string().optional(),
  product_identification_helper: z
    .object({ purl: z.string().optional(), purls: z.array(z.string()).optional() })
    .optional(),
});
interface Branch {
  product?: z.infer<typeof named> | undefined;
  branches?: Branch[] | undefined;
}
const branch: z.ZodType<Branch> = z.lazy(() =>
  z.object({ product: named.optional(), branches: z.array(branch).max(100_000).optional() }),
);
const statuses = {
  known_not_affected: "not-affected",
  fixed: "fixed",
  first_fixed: "fixed",
  known_affected: "affected",
  first_affected: "affected",
  last_affected: "affected",
  under_investigation: "under-investigation",
} as const;
const productIds = z.array(z.string()).max(100_000);
const note = z.object({ product_ids: productIds.optional() });
const document = z.object({
  document: z.object({ tracking: z.object({ current_release_date: z.string().optional() }).optional() }),
  product_tree: z
    .object({
      branches: z.array(branch).max(100_000).optional(),
      full_product_names: z.array(named).max(100_000).optional(),
      relationships: z
        .array(
          z.object({
            full_product_name: named,
            product_reference: z.string(),
            relates_to_product_reference: z.string(),
          }),
        )
        .max(100_000)
        .optional(),
    })
    .optional(),
  vulnerabilities: z
    .array(
      z.object({
        cve: z.string().optional(),
        ids: z.array(z.object({ text: z.string() })).optional(),
        product_status: z.record(z.string(), productIds).optional(),
        flags: z.array(note.extend({ label: z.string() })).optional(),
        threats: z.array(note.extend({ category: z.string(), details: z.string() })).optional(),
      }),
    )
    .max(100_000)
    .optional(),
});
type Document = z.infer<typeof document>;

/** Branches may lie in each other as deep as somebody likes. */
const depthLimit = 64;

/** https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html, 4.5: profile VEX. */
export const csaf: VexFormat = {
  is: ({ document: head }) => typeof head === "object" && head !== null && "csaf_version" in head,
  read(value) {
    refuseDepth(value, depthLimit * 2);
    const parsed = document.parse(value);
    const products = productsOf(parsed);
    const time = timeOf(parsed.document.tracking?.current_release_date);
    return (parsed.vulnerabilities ?? []).flatMap((item) => {
      const names = [item.cve, ...(item.ids ?? []).map(({ text }) => text)].filter((name) => name !== undefined);
      return Object.entries(statuses).flatMap(([key, status]): Statement[] => {
        const ids = item.product_status?.[key] ?? [];
        return ids.flatMap((id) => {
          const of = products.get(id) ?? [];
          return of.length === 0 ? [] : [{ names, products: of, status, reason: reasonOf(item, id), time }];
        });
      });
    });
  },
  write(report) {
    const list = report.vulnerabilities ?? [];
    const purls = [...new Set(list.map(({ purl }) => purl))];
    const idOf = new Map(purls.map((purl, index) => [purl, `package-${index + 1}`]));
    const groups = Map.groupBy(list, ({ id }) => id);
    const productId = "product";
    return jsonText({
      document: {
        category: "csaf_vex",
        csaf_version: "2.0",
        publisher: { category: "other", name: "Bulwark", namespace: "https://bulwark.example" },
        title: `Vulnerabilities of ${report.target.name}`,
        tracking: {
          id: documentId(report).slice(-16),
          status: "final",
          version: "1",
          initial_release_date: report.createdAt,
          current_release_date: report.createdAt,
          revision_history: [{ number: "1", date: report.createdAt, summary: "Scan" }],
          generator: { engine: { name: report.tool.name, version: report.tool.version } },
        },
      },
      product_tree: {
        full_product_names: [
          { product_id: productId, name: report.target.name, ...helper(productOf(report)) },
          ...purls.map((purl) => ({ product_id: idOf.get(purl), name: purl, ...helper(purl) })),
        ],
        relationships: purls.map((purl) => ({
          category: "default_component_of",
          product_reference: idOf.get(purl),
          relates_to_product_reference: productId,
          full_product_name: {
            product_id: `${productId}:${idOf.get(purl) ?? ""}`,
            name: `${purl} in ${report.target.name}`,
          },
        })),
      },
      vulnerabilities: [...groups].map(([id, items]) =>
        vulnerabilityOf(id, items, (item) => `${productId}:${idOf.get(item.purl) ?? ""}`),
      ),
    });
  },
};

/** What each id of the document stands for. */
function productsOf({ product_tree: tree }: Document): Map<string, Product[]> {
  const products = new Map<string, Product[]>();
  const add = ({ product_id: id, name, product_identification_helper: help }: z.infer<typeof named>): void => {
    const purls = [help?.purl, ...(help?.purls ?? [])].filter((purl) => purl !== undefined);
    const ids = purls.length > 0 ? purls : [name].filter((text) => text !== undefined);
    products.set(
      id,
      ids.map((text) => ({ id: text, parts: [] })),
    );
  };
  const walk = ({ product, branches }: Branch): void => {
    if (product) add(product);
    branches?.forEach(walk);
  };
  tree?.branches?.forEach(walk);
  tree?.full_product_names?.forEach(add);
  for (const {
    full_product_name: whole,
    product_reference: part,
    relates_to_product_reference: of,
  } of tree?.relationships ?? []) {
    const parts = (products.get(part) ?? []).map(({ id }) => id);
    const inside = (products.get(of) ?? []).map(({ id }) => ({ id, parts }));
    products.set(whole.product_id, inside);
  }
  return products;
}

function reasonOf({ flags, threats }: NonNullable<Document["vulnerabilities"]>[number], product: string): string {
  const concerns = ({ product_ids: ids }: { product_ids?: string[] | undefined }): boolean =>
    ids?.includes(product) ?? true;
  const label = flags?.find(concerns)?.label;
  const impact = threats?.find((threat) => threat.category === "impact" && concerns(threat))?.details;
  return [label, impact].filter((text) => text !== undefined).join(": ");
}

function helper(id: string): object {
  return id.startsWith("pkg:") ? { product_identification_helper: { purl: id } } : {};
}

function vulnerabilityOf(
  id: string,
  items: ReportedVulnerability[],
  productOfItem: (item: ReportedVulnerability) => string,
): object {
  const status = Map.groupBy(items, ({ decision }) => {
    if (decision === null) return "under_investigation";
    return decision.status === "accepted"
      ? "known_affected"
      : decision.status === "fixed"
        ? "fixed"
        : "known_not_affected";
  });
  const decided = items.filter(({ decision }) => decision !== null);
  return {
    ...(id.startsWith("CVE-") ? { cve: id } : { ids: [{ system_name: "advisory", text: id }] }),
    notes: [{ category: "summary", text: items[0]?.summary === "" ? id : (items[0]?.summary ?? id) }],
    product_status: Object.fromEntries([...status].map(([key, list]) => [key, [...new Set(list.map(productOfItem))]])),
    ...(decided.length > 0 && {
      threats: decided.map((item) => ({
        category: "impact",
        details: item.decision?.reason ?? "",
        product_ids: [productOfItem(item)],
      })),
    }),
    ...(status.has("known_affected") && {
      remediations: (status.get("known_affected") ?? []).map((item) => ({
        category: item.fixedVersion === null ? "none_available" : "vendor_fix",
        details: item.decision?.reason ?? "",
        product_ids: [productOfItem(item)],
      })),
    }),
  };
}

function refuseDepth(value: unknown, left: number): void {
  if (left === 0) throw new Error(`more than ${depthLimit} branches lie in each other`);
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) refuseDepth(part, left - 1);
}
