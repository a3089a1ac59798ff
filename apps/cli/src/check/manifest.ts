import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, styleText } from "node:util";
import {
  admissionOf,
  fixed,
  loadLibrary,
  requestFor,
  diffPatch,
  type AdmissionOptions,
  type Json,
  type LibraryPolicy,
} from "@bulwark/admission";
import { imagesOf } from "@bulwark/gate";
import { aboutOf, loadImagePolicies, type ImagePolicyFile } from "@bulwark/imagepolicy";
import {
  editText,
  placeText,
  podTemplateOf,
  readFiles,
  recordOf,
  stringOf,
  type Edit,
  type Manifest,
  type Place,
} from "@bulwark/manifests";
import { errorText, severities, severity, severityRank, type Severity } from "@bulwark/model";
import { checkPod, levels, type Level } from "@bulwark/podsecurity";
import type { Command, Io } from "../command.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";
import { judgeImages, readReports, type Knowledge } from "./images.ts";

const usage = `Usage: bulwark check manifest FILE… [OPTION…]

Holds Kubernetes objects against policies before they are applied, with the same
verdict as at admission. Without --policies the library of Bulwark is asked.
A FILE is YAML or JSON, a folder of them, or - for standard input.

  --policies DIR      policies of your own: ValidatingAdmissionPolicy as Kubernetes
                      has it, ImagePolicy; may be given several times
  --reports DIR|FILE  what an ImagePolicy is told of images: reports that bulwark scan
                      image NAME --format json wrote; may be given several times
  --offline           registries are not asked which digest a tag has, who signed it,
                      when it was made
  --only NAME,…       only these policies
  --skip NAME,…       not these
  --pod-security LEVEL  also the Pod Security Standards: baseline or restricted
  --fail-on LEVEL     exit code 1 for findings of this severity or worse;
                      any unless said
  --fix               mend in the files what can be mended safely
  --format json       for programs

Exit code 1 when there are findings, 3 when a part could not be read or judged: what
an ImagePolicy asks about an image that was not scanned is unknown, and not allowed.
`;

const options = {
  policies: { type: "string", multiple: true },
  only: { type: "string" },
  skip: { type: "string" },
  "pod-security": { type: "string" },
  "fail-on": { type: "string" },
  reports: { type: "string", multiple: true },
  offline: { type: "boolean" },
  fix: { type: "boolean" },
  format: { type: "string" },
} as const;

/** Policies that come with Bulwark. */
export const ownLibrary = join(import.meta.dirname, "../../../../content/policies");

interface Finding {
  readonly policy: string;
  readonly severity: Severity;
  readonly title: string;
  readonly message: string;
  readonly remedy: string;
  readonly fixable: boolean;
}

interface Checked {
  readonly manifest: Manifest;
  readonly findings: readonly Finding[];
  /** What could not be told of its images. */
  readonly unknown: readonly { readonly policy: string; readonly message: string }[];
}

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (positionals.length === 0)
    throw new UsageError("usage", "needs a FILE", { remedy: "bulwark check manifest --help" });
  if (values.format !== undefined && values.format !== "json") {
    throw new UsageError("usage", `--format ${values.format}: no such format`, { remedy: "json, or none for people" });
  }
  const gate = gateOf(values["fail-on"]);
  const level = levelOf(values["pod-security"]);
  const told = new Set<string>();
  const tell = (error: unknown): void => {
    if (!told.has(errorText(error))) stderr.write(`${printable(errorText(error))}\n`);
    told.add(errorText(error));
  };
  const folders = values.policies ?? [ownLibrary];
  const { library, images } = choose(
    {
      library: folders.flatMap((folder) => loadLibrary(folder, tell)),
      images: folders.flatMap((folder) => loadImagePolicies(folder, tell)),
    },
    values.only,
    values.skip,
  );
  const scans = (values.reports ?? []).flatMap(readReports);
  const context = (objects: readonly Manifest[]): AdmissionOptions => optionsOf(objects.map(({ object }) => object));
  const read = readFiles(positionals);
  for (const problem of [...read.problems, ...read.others]) {
    stderr.write(`${printable(placeText(problem))}: ${printable(problem.reason)} (${problem.remedy})\n`);
  }
  let { objects } = read;
  let mended = 0;
  if (values.fix === true) {
    mended = mend(objects, library, context(objects));
    if (mended > 0) ({ objects } = readFiles(positionals));
  }
  const byPolicies = check(objects, library, context(objects), level);
  const knowledge = { scans, offline: values.offline === true, scannedIsMeant: false };
  const checked = await checkImages(byPolicies, images, knowledge);
  const found = checked.flatMap(({ findings }) => findings);
  if (values.format === "json") stdout.write(`${JSON.stringify(toJson(checked, read.problems), null, 2)}\n`);
  else stdout.write(table(checked, objects.length, mended));
  if (found.some((finding) => severityRank(finding.severity) <= gate)) return 1;
  const unknown = checked.some((one) => one.unknown.length > 0);
  return told.size + read.problems.length > 0 || unknown ? 3 : 0;
}

function gateOf(text: string | undefined): number {
  if (text === undefined) return severities.length;
  const parsed = severity.safeParse(text);
  if (parsed.success) return severityRank(parsed.data);
  throw new UsageError("usage", `--fail-on ${text}: no such level`, { remedy: severities.join(", ") });
}

function levelOf(text: string | undefined): Level | undefined {
  const level = levels.find((one) => one === text);
  if (text === undefined || level) return level;
  throw new UsageError("usage", `--pod-security ${text}: no such level`, { remedy: levels.join(", ") });
}

interface Policies {
  readonly library: readonly LibraryPolicy[];
  readonly images: readonly ImagePolicyFile[];
}

function choose({ library, images }: Policies, only: string | undefined, skip: string | undefined): Policies {
  const names = new Set([...library.map(({ name }) => name), ...images.map(({ policy }) => policy.name)]);
  const list = (flag: string, text: string | undefined): Set<string> | undefined => {
    if (text === undefined) return undefined;
    const chosen = new Set(text.split(","));
    const unknown = [...chosen].find((name) => !names.has(name));
    if (unknown === undefined) return chosen;
    throw new UsageError("usage", `--${flag} ${unknown}: no such policy`, { remedy: "bulwark policy list" });
  };
  const wanted = list("only", only);
  const unwanted = list("skip", skip);
  const isChosen = (name: string): boolean => (wanted?.has(name) ?? true) && !(unwanted?.has(name) ?? false);
  return {
    library: library.filter(({ name }) => isChosen(name)),
    images: images.filter(({ policy }) => isChosen(policy.name)),
  };
}

/** Namespaces and parameters are taken from the files themselves. */
function optionsOf(objects: readonly Json[]): AdmissionOptions {
  const named = (object: Json): string => stringOf(recordOf(object["metadata"])["name"]);
  const namespaces = new Map(
    objects.filter(({ kind }) => kind === "Namespace").map((object) => [named(object), object]),
  );
  return {
    namespaceOf: (name) =>
      namespaces.get(name) ?? { metadata: { name, labels: { "kubernetes.io/metadata.name": name } } },
    paramsOf: ({ apiVersion, kind }) =>
      objects.filter((object) => {
        const labels = recordOf(recordOf(object["metadata"])["labels"]);
        return (
          object["apiVersion"] === apiVersion && object["kind"] === kind && labels["bulwark.dev/parameters"] === "true"
        );
      }),
  };
}

function check(
  objects: readonly Manifest[],
  library: readonly LibraryPolicy[],
  context: AdmissionOptions,
  level: Level | undefined,
): Checked[] {
  const admission = admissionOf(library, context);
  const byName = new Map(library.map((policy) => [policy.name, policy]));
  return objects.map((manifest) => {
    const request = requestFor(manifest.object);
    const findings = admission.review(request).decisions.flatMap(({ policy, failure }): Finding[] => {
      const known = byName.get(policy);
      if (!known) return [];
      const { title, severity: rank, remedy, fix } = known;
      return [{ policy, severity: rank, title, message: failure.message, remedy, fixable: fix !== undefined }];
    });
    return { manifest, findings: [...findings, ...podSecurity(manifest.object, level)], unknown: [] };
  });
}

/** Asks the ImagePolicies about the images of every object, each image once. */
async function checkImages(
  checked: readonly Checked[],
  policies: readonly ImagePolicyFile[],
  knowledge: Knowledge,
): Promise<Checked[]> {
  if (policies.length === 0) return [...checked];
  const used = new Map(
    checked.map((one) => [one, new Set(imagesOf(one.manifest.object).map(({ image }) => image))] as const),
  );
  const all = [...used.values()].flatMap((images) => [...images]);
  const verdicts = await judgeImages(policies, all, knowledge);
  const about = new Map(policies.map(({ policy }) => [policy.name, aboutOf(policy)]));
  return checked.map((one) => {
    const mine = verdicts.filter(({ image }) => used.get(one)?.has(image) === true);
    const lines = (wanted: string): { policy: string; message: string }[] =>
      mine
        .filter(({ verdict }) => verdict === wanted)
        .flatMap(({ policy, messages }) => messages.map((message) => ({ policy, message })));
    const denied = lines("denied").flatMap(({ policy, message }): Finding[] => {
      const known = about.get(policy);
      if (!known) return [];
      const { title, severity: rank, remedy } = known;
      return [{ policy, severity: rank, title, message, remedy, fixable: false }];
    });
    return { ...one, findings: [...one.findings, ...denied], unknown: lines("unknown") };
  });
}

function podSecurity(object: Manifest["object"], level: Level | undefined): Finding[] {
  const template = podTemplateOf(object);
  if (level === undefined || template === undefined) return [];
  return checkPod(level, "latest", template).map(({ check: name, reason, detail }) => ({
    policy: `pod-security/${name}`,
    severity: "high",
    title: reason,
    message: `${reason} (${detail})`,
    remedy: `See https://kubernetes.io/docs/concepts/security/pod-security-standards/ for the level ${level}.`,
    fixable: false,
  }));
}

/** Changes the files; answers with the number of objects that were changed. */
function mend(objects: readonly Manifest[], library: readonly LibraryPolicy[], context: AdmissionOptions): number {
  const mending = library.filter(({ fix }) => fix !== undefined);
  let count = 0;
  for (const [file, manifests] of Map.groupBy(objects, ({ place }) => place.file)) {
    if (file === "stdin") throw new UsageError("usage", "--fix cannot write standard input", { remedy: "name files" });
    const changes: { place: Place; edits: Edit[] }[] = [];
    for (const { object, place } of manifests) {
      let now: Json = object;
      for (const policy of mending) {
        const { decisions } = admissionOf([policy], context).review(requestFor(now));
        if (decisions.length > 0) now = fixed(policy, now, context);
      }
      const edits = diffPatch(withoutNamespace(object), withoutNamespace(now)).map(toEdit);
      if (edits.length > 0) changes.push({ place, edits });
    }
    count += changes.length;
    if (changes.length > 0) writeFileSync(file, editText(readFileSync(file, "utf8"), changes));
  }
  return count;
}

/** What the API server would fill in is not written into the file. */
function withoutNamespace(object: Json): Json {
  const { namespace: _, ...metadata } = recordOf(object["metadata"]);
  return { ...object, metadata };
}

function toEdit({ op, path, value }: ReturnType<typeof diffPatch>[number]): Edit {
  const parts = path
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part === "-" ? Number.MAX_SAFE_INTEGER : part));
  return op === "remove" ? { path: parts, remove: true } : { path: parts, set: value };
}

function nameOf({ object }: Manifest): string {
  const metadata = recordOf(object["metadata"]);
  const name = stringOf(metadata["name"]) || stringOf(metadata["generateName"]);
  const namespace = stringOf(metadata["namespace"]);
  return `${object.kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

function toJson(checked: readonly Checked[], problems: readonly unknown[]): unknown {
  return {
    objects: checked.map(({ manifest, findings, unknown }) => ({
      name: nameOf(manifest),
      file: manifest.place.file,
      line: manifest.place.line,
      findings,
      unknown,
    })),
    problems,
  };
}

const colours = {
  critical: "red",
  high: "red",
  medium: "yellow",
  low: "blue",
  negligible: "gray",
  unknown: "gray",
} as const;

function table(checked: readonly Checked[], objects: number, mended: number): string {
  const lines: string[] = [];
  for (const { manifest, findings, unknown } of checked) {
    if (findings.length + unknown.length === 0) continue;
    lines.push(
      `${styleText("bold", printable(nameOf(manifest)))}  ${styleText("gray", printable(placeText(manifest.place)))}`,
    );
    for (const { policy, severity: rank, message, fixable } of findings.toSorted(
      (a, b) => severityRank(a.severity) - severityRank(b.severity),
    )) {
      const mark = fixable ? styleText("green", " --fix mends it") : "";
      lines.push(`  ${styleText(colours[rank], rank.padEnd(9))} ${policy}: ${printable(message)}${mark}`);
    }
    for (const { policy, message } of unknown) {
      lines.push(`  ${styleText("yellow", "unknown".padEnd(9))} ${policy}: ${printable(message)}`);
    }
    lines.push("");
  }
  const found = checked.flatMap(({ findings }) => findings);
  const policies = new Map(found.filter(({ remedy }) => remedy !== "").map(({ policy, remedy }) => [policy, remedy]));
  if (policies.size > 0)
    lines.push("What to do:", ...[...policies].map(([policy, remedy]) => `  ${policy}: ${printable(remedy)}`), "");
  if (mended > 0) lines.push(`${counted(mended, "object")} mended in the files.`);
  const counts = severities
    .map((rank) => [found.filter((finding) => finding.severity === rank).length, rank] as const)
    .filter(([count]) => count > 0)
    .map(([count, rank]) => `${count} ${rank}`);
  const open = checked.reduce((sum, { unknown }) => sum + unknown.length, 0);
  if (open > 0) counts.push(`${open} not known`);
  lines.push(`${counted(objects, "object")}: ${counts.length === 0 ? "nothing found" : counts.join(", ")}.`);
  return `${lines.join("\n")}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

export const manifestCommand: Command = { name: "manifest", summary: "Kubernetes objects in files", usage, run };
