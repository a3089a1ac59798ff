import type { Report, ReportedVulnerability, Severity } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";

/**
 * GitLab's report of container scanning.
 * https://gitlab.com/gitlab-org/security-products/security-report-schemas, container-scanning-report-format.json
 */
export function writeGitLab(report: Report): string {
  const about = {
    id: "bulwark",
    name: "Bulwark",
    version: report.tool.version,
    vendor: { name: "Bulwark" },
  };
  const time = report.createdAt.slice(0, 19);
  const document = {
    version: "15.0.7",
    scan: {
      analyzer: about,
      scanner: about,
      type: "container_scanning",
      start_time: time,
      end_time: time,
      status: report.parts.some(({ state }) => state === "failed") ? "failure" : "success",
    },
    vulnerabilities: (report.vulnerabilities ?? [])
      .filter(({ decision }) => decision === null)
      .map((item) => vulnerabilityOf(item, report)),
  };
  return jsonText(document);
}

function vulnerabilityOf(item: ReportedVulnerability, { os, target }: Report): object {
  return {
    id: uuidOf(item.fingerprint),
    name: `${item.id} in ${item.package}`.slice(0, 255),
    description: item.summary,
    severity: severityNames[item.severity],
    solution: item.fixedVersion === null ? "No fix is known." : `Update ${item.package} to ${item.fixedVersion}`,
    identifiers: [item.id, ...item.aliases].slice(0, 20).map(identifierOf),
    links: item.references.filter((url) => /^https?:\/\//.test(url)).map((url) => ({ url })),
    location: {
      dependency: { package: { name: item.package }, version: item.version },
      operating_system: os === null ? "unknown" : `${os.id} ${os.version}`.trim(),
      image: imageName(target.name),
    },
  };
}

function identifierOf(id: string): object {
  const type = /^(CVE|GHSA)-/.exec(id)?.[1]?.toLowerCase() ?? "bulwark_advisory";
  return { type, name: id, value: id };
}

/** Must look like the name of an image with its tag. */
function imageName(name: string): string {
  return name.replaceAll(/\s/g, "_").includes(":")
    ? name.replaceAll(/\s/g, "_")
    : `${name.replaceAll(/\s/g, "_")}:latest`;
}

/** An identifier of the form that is asked for, the same for the same weakness. */
function uuidOf(fingerprint: string): string {
  const hex = fingerprint.padEnd(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

const severityNames: Record<Severity, string> = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
  negligible: "Info",
  unknown: "Unknown",
};
