import { ReportError } from "../error.ts";
import type { Format } from "./format.ts";

/** Every form of output there is. */
export const formats: readonly Format[] = [
  { name: "table", summary: "for people", load: async () => (await import("./table.ts")).writeTable },
  {
    name: "json",
    summary: "the whole report; docs/report.schema.json describes it",
    load: async () => (await import("@bulwark/model/plain")).jsonText,
  },
  {
    name: "sarif",
    summary: "SARIF 2.1.0, for code scanning",
    load: async () => (await import("./sarif.ts")).writeSarif,
  },
  {
    name: "junit",
    summary: "JUnit XML, for the test page of a CI",
    load: async () => (await import("./junit.ts")).writeJunit,
  },
  {
    name: "gitlab",
    summary: "GitLab's report of container scanning",
    load: async () => (await import("./gitlab.ts")).writeGitLab,
  },
  { name: "html", summary: "one page for a browser", load: async () => (await import("./html.ts")).writeHtml },
  {
    name: "cyclonedx",
    summary: "bill of materials, CycloneDX 1.6",
    load: async () => (await import("./sbom.ts")).writeCycloneDx,
  },
  { name: "spdx", summary: "bill of materials, SPDX 2.3", load: async () => (await import("./sbom.ts")).writeSpdx },
  {
    name: "fix-plan",
    summary: "what to upgrade, in order, and what each step removes",
    load: async () => (await import("./fix-plan.ts")).writeFixPlan,
  },
  {
    name: "openvex",
    summary: "OpenVEX, what is decided about vulnerabilities",
    load: async () => (await import("../vex/openvex.ts")).openVex.write,
  },
  {
    name: "csaf",
    summary: "CSAF 2.0, profile VEX",
    load: async () => (await import("../vex/csaf.ts")).csaf.write,
  },
  {
    name: "cyclonedx-vex",
    summary: "CycloneDX 1.6, what is decided about vulnerabilities",
    load: async () => (await import("../vex/cyclonedx.ts")).cycloneDxVex.write,
  },
];

/** Raises `ReportError` `no-format`. */
export function formatOf(name: string): Format {
  const format = formats.find((candidate) => candidate.name === name);
  if (format) return format;
  throw new ReportError("no-format", `--format ${name}: there is no such form`, {
    remedy: formats.map((candidate) => candidate.name).join(", "),
  });
}
