import type { Finding } from "@bulwark/model";

export const findingKinds = [
  "vulnerability",
  "secret",
  "malware",
  "misconfiguration",
] as const satisfies Finding["kind"][];

/** What a list says of a finding of any kind, in the words of whoever found it. */
export interface FindingWords {
  name: string;
  /** The package, or the first file that has it; empty where it is of the image as a whole. */
  where: string;
  exploited: boolean;
  score: number | undefined;
}

export function wordsOf(finding: Finding): FindingWords {
  const none = { where: finding.locations[0] ?? "", exploited: false, score: undefined };
  switch (finding.kind) {
    case "vulnerability": {
      const { id, package: where, exploited, cvss } = finding.vulnerability;
      return { name: id, where, exploited, score: cvss?.score };
    }
    case "secret":
      return { ...none, name: finding.secret.title };
    case "malware":
      return { ...none, name: finding.malware.title };
    case "misconfiguration":
      return { ...none, name: finding.misconfiguration.title };
  }
}
