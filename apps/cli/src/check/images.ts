import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseReference } from "@bulwark/image";
import {
  createImageJudge,
  ImagePolicyError,
  loadImagePolicies,
  policyVerdictOf,
  registrySource,
  weaknessOf,
  type ImagePolicyFile,
  type ImageSource,
  type ScanFacts,
} from "@bulwark/imagepolicy";
import type { PolicyVerdict, Report } from "@bulwark/model";
import { isPartial } from "@bulwark/report";
import { parseReport } from "@bulwark/report/baseline";
import { UsageError } from "../local/options.ts";

/** A scan, and what it was told of the image beside its report. */
export interface Scanned {
  readonly report: Report;
  /** By which the policies know it. */
  readonly name: string;
  /** When the image was made; undefined where the scan does not know, null where the image does not say. */
  readonly created?: string | null;
}

export interface Knowledge {
  readonly scans: readonly Scanned[];
  /** Registries are not asked. */
  readonly offline: boolean;
  /** A tag is what was scanned by that name, also where its registry says otherwise. */
  readonly scannedIsMeant: boolean;
}

/** Asks every policy about every image, with the judge of the webhook. An image that no policy is about has no verdict. */
export async function judgeImages(
  policies: readonly ImagePolicyFile[],
  images: readonly string[],
  knowledge: Knowledge,
): Promise<PolicyVerdict[]> {
  const judge = createImageJudge({ source: sourceOf(knowledge) });
  const verdicts: PolicyVerdict[] = [];
  for (const image of new Set(images)) {
    for (const { policy } of policies) {
      const verdict = await policyVerdictOf(policy, image, judge.judge(policy, image));
      if (verdict) verdicts.push(verdict);
    }
  }
  return verdicts;
}

/** The ImagePolicies of a file or a folder. One that nobody finds would let everything pass. */
export function policiesIn(path: string): ImagePolicyFile[] {
  const policies = loadImagePolicies(path);
  if (policies.length > 0) return policies;
  throw new UsageError("usage", `--policy ${path}: there is no ImagePolicy in it`, { remedy: "docs/policies.md" });
}

/** A report with what policies say of the image that was scanned. */
export async function withPolicies(
  report: Report,
  policies: readonly ImagePolicyFile[],
  { name, offline, created }: { name: string; offline: boolean; created: string | null | undefined },
): Promise<Report> {
  const scans = [{ report, name, ...(created !== undefined && { created }) }];
  return { ...report, policies: await judgeImages(policies, [name], { scans, offline, scannedIsMeant: true }) };
}

/** Reports of scans (`bulwark scan image NAME --format json`): a file, or all `.json` files of a folder. Raises. */
export function readReports(path: string): Scanned[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new UsageError("usage", `--reports ${path}: there is no such file or folder`, { remedy: "name one" });
  const files = stat.isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith(".json"))
        .toSorted()
        .map((name) => join(path, name))
    : [path];
  return files.map((file) => {
    const report = parseReport(readFileSync(file, "utf8"), file);
    return { report, name: report.target.name };
  });
}

/** What is known here by scans; the rest is at the registry. */
function sourceOf({ scans, offline, scannedIsMeant }: Knowledge): ImageSource {
  const byDigest = new Map(scans.map((scan) => [scan.report.target.digest, scan]));
  const byName = new Map(scans.map((scan) => [wholeName(scan.name), scan]));
  const registry = registrySource(
    () => ({}),
    async (digest, name) => factsOf(byDigest.get(digest)?.report, `${name}@${digest}`),
  );
  return {
    report: registry.report,
    async open(reference) {
      return {
        async digest() {
          const scanned = byName.get(wholeName(reference))?.report.target.digest;
          if (scanned != null && (scannedIsMeant || offline)) return scanned;
          return atRegistry(reference, "which digest its tag has", async (image) => image.digest());
        },
        verify: async (digest, trusted) =>
          atRegistry(reference, "who signed it", async (image) => image.verify(digest, trusted)),
        async config(digest, what) {
          const created = byDigest.get(digest)?.created;
          if (what === "created" && created !== undefined) return created === null ? {} : { created };
          return atRegistry(reference, "its configuration", async (image) => image.config(digest, what));
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };

  async function atRegistry<T>(
    reference: string,
    what: string,
    ask: (image: Awaited<ReturnType<ImageSource["open"]>>) => Promise<T>,
  ): Promise<T> {
    if (offline) {
      throw new ImagePolicyError(
        "unknown",
        `${reference}: ${what} is asked of its registry, and --offline forbids it`,
        {
          remedy: "ask without --offline",
        },
      );
    }
    await using image = await registry.open(reference);
    return ask(image);
  }
}

/** What a scan found and nobody answers for, as the server keeps it. Raises where there is no whole scan. */
function factsOf(report: Report | undefined, image: string): ScanFacts {
  if (!report || isPartial(report)) {
    const why = report ? "its scan could not look at all of it" : "it was not scanned";
    throw new ImagePolicyError("unknown", `${image}: ${why}`, {
      remedy: "bulwark scan image NAME --format json > reports/NAME.json, and --reports reports",
    });
  }
  const now = Date.now();
  const { vulnerabilities, secrets, malware, checks } = report;
  const open = <T extends { decision: unknown }>(list: readonly T[] | null): T[] | null =>
    list && list.filter(({ decision }) => decision === null);
  return {
    ...{ known: true, scannedAt: Date.parse(report.createdAt) },
    vulnerabilities: open(vulnerabilities)?.map((one) => weaknessOf(one, now)) ?? null,
    secrets: open(secrets)?.map(({ kind, severity }) => ({ kind, severity })) ?? null,
    malware: open(malware)?.map(({ rule }) => ({ name: rule })) ?? null,
    checks:
      open(checks)
        ?.filter(({ state }) => state === "fail")
        .map(({ check, severity }) => ({ id: check, severity })) ?? null,
  };
}

/** As Docker reads it, without a digest behind a tag; what is no name of an image is only itself. */
function wholeName(text: string): string {
  try {
    const { registry, repository, tag, digest } = parseReference(text);
    return tag === null ? `${registry}/${repository}@${digest}` : `${registry}/${repository}:${tag}`;
  } catch {
    return text;
  }
}
