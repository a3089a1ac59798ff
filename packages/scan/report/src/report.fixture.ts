import { createHash } from "node:crypto";
import { plainPackage, reportVersion, type Report, type ReportedVulnerability } from "@bulwark/model";

/** Text that means something to every form of output: markup, controls, directions, quotes, lines, shell, half a character. */
export const hostile = `<script>alert(1)</script>"'&]]>\u001B[31m\u0007\u202Eevil\u2028\r\n%0A::error::\`x\`$(x)\u0000\uD800\uFFFE`;

export function sampleVulnerability(change: Partial<ReportedVulnerability> = {}): ReportedVulnerability {
  const name = change.package ?? "openssl";
  return {
    id: "CVE-2024-0001",
    aliases: ["DSA-1-1"],
    package: name,
    source: name,
    version: "3.0.10-1",
    purl: `pkg:deb/debian/${name}@3.0.10-1?arch=amd64&distro=debian-12`,
    fixedVersion: "3.0.11-1",
    state: "fixed",
    severity: "high",
    cvss: { score: 7.5, vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" },
    summary: "Reads what it must not",
    exploited: false,
    epss: null,
    published: "2024-01-01T00:00:00Z",
    references: ["https://security-tracker.debian.org/tracker/CVE-2024-0001"],
    feed: "osv:Debian",
    type: "deb",
    locations: ["/var/lib/dpkg/status"],
    layer: null,
    step: null,
    origin: null,
    development: false,
    decision: null,
    fingerprint: createHash("sha256")
      .update(`${change.id ?? "CVE-2024-0001"} ${name}`)
      .digest("hex"),
    ...change,
  };
}

/** A report with one of everything; every text of it is `text` where one is given. */
export function sampleReport(text?: string, change: Partial<Report> = {}): Report {
  const say = (plain: string): string => text ?? plain;
  return {
    version: reportVersion,
    tool: { name: "bulwark", version: "0.1.0" },
    createdAt: "2026-06-01T12:00:00.000Z",
    target: { kind: "image", name: say("shop/web:1.2"), digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
    os: { id: "debian", version: "12", name: say("Debian GNU/Linux 12 (bookworm)") },
    packages: [
      {
        ...plainPackage,
        type: "deb",
        name: say("openssl"),
        version: say("3.0.10-1"),
        architecture: "amd64",
        source: { name: say("openssl"), version: say("3.0.10-1") },
        purl: say("pkg:deb/debian/openssl@3.0.10-1?arch=amd64&distro=debian-12"),
        licences: [say("Apache-2.0")],
        location: say("/var/lib/dpkg/status"),
        layer: null,
      },
    ],
    parts: [
      { extractor: "dpkg", state: "done", errors: [] },
      { extractor: "jar", state: "partial", errors: [{ path: say("/app/x.jar"), message: say("it ends early") }] },
    ],
    advisories: { builtAt: "2026-06-01T00:00:00.000Z", count: 10, problems: [] },
    vulnerabilities: [
      sampleVulnerability({
        exploited: true,
        epss: 0.93,
        ...(text !== undefined && {
          id: text,
          aliases: [text],
          package: text,
          source: text,
          version: text,
          purl: text,
          fixedVersion: text,
          summary: text,
          references: [text, `javascript:${text}`],
          locations: [text],
          feed: text,
        }),
      }),
    ],
    secrets: [
      {
        kind: say("aws-access-key"),
        title: say("Access key of AWS"),
        severity: "critical",
        location: say("/app/.env"),
        line: 3,
        masked: say("AKIA************"),
        fingerprint: "secret-1",
        layer: null,
        step: null,
        removed: true,
        remedy: say("Revoke it."),
        decision: null,
      },
    ],
    malware: [
      {
        rule: say("eicar"),
        title: say("EICAR test file"),
        engine: "rule",
        severity: "high",
        techniques: ["T1505.003"],
        location: say("/app/eicar.com"),
        sha256: "b".repeat(64),
        layer: null,
        step: null,
        evidence: [say("X5O!P%")],
        remedy: say("Remove the file."),
        decision: null,
        fingerprint: "malware-1",
      },
    ],
    checks: [
      {
        check: say("image-user"),
        title: say("Runs as root"),
        state: "fail",
        severity: "medium",
        subject: say("config.User"),
        reason: say("User is not set"),
        evidence: [{ key: say("user"), value: say("") }],
        remedy: say("Add USER."),
        line: null,
        decision: null,
        fingerprint: "check-1",
      },
    ],
    unknown: [{ reason: say("it has no version"), lacking: false, packages: [say("left-pad")], count: 1 }],
    warnings: [say("the database is old")],
    ...change,
  };
}
