import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dataFolder } from "@bulwark/config/data-folder";
import type { PolicyVerdict } from "@bulwark/model";
import { failing, formatOf, formats, isPartial, newReport, parseGate, problemsOf, type Problem } from "@bulwark/report";
import type { Command, Io } from "../command.ts";
import { configFlags, configUsage, UsageError } from "../local/options.ts";
import { progress } from "../local/text.ts";
import { version } from "../local/version.ts";
import { knownBefore, withExceptions, withVex } from "../scan/decisions.ts";
import { inputOf, look } from "../scan/input.ts";
import { clamdOf, listedIn } from "../scan/malware.ts";
import { matchedWith } from "../scan/matched.ts";

const usage = `Usage: bulwark scan image NAME|FILE|DIR [OPTION…]
       bulwark scan container ID|NAME [OPTION…]
       bulwark scan fs DIR [OPTION…]
       bulwark scan repo DIR [OPTION…]
       bulwark scan sbom FILE [OPTION…]
       bulwark scan host [OPTION…]

Lists what is inside an image (its name in Docker, Podman, containerd or a registry,
an archive of docker save or OCI, an OCI layout; docker://NAME, containerd://NAME,
registry://NAME look there only), a running container, a root file system, a folder
with source code, a bill of materials (CycloneDX, SPDX, package URLs), or this
machine: packages and what advisories say of them, credentials, and how an image
is configured.
Works without a server, on the database of bulwark db update.

  --fail-on COND   exit code 1 when something meets the condition: a severity (that
                   or worse), fixable, kev, epss>=0.1, vulnerability, secret,
                   malware, check, any. Between commas all must hold; several
                   --fail-on are several conditions
  --policy PATH    ImagePolicies of a file or a folder, as they are asked at admission:
                   exit code 1 when one denies the image, 3 when what it asks cannot
                   be known; several --policy are several policies
  --as NAME        the name by which a policy knows it, where a file is scanned
  --new-since FILE only what this report (--format json) did not know fails
  --exceptions FILE what is put up with, why, by whom, until when;
                   .bulwark.yaml of the repository or of this folder
  --vex FILE       what somebody who knows the product says: OpenVEX, CSAF, CycloneDX
  --fix-plan       what to upgrade, base image first, with what each step removes
  --format NAME    one of these:
${formats.map(({ name, summary }) => `                     ${name.padEnd(14)} ${summary}`).join("\n")}
  --save NAME=FILE one more output, in a file; as often as you like
  --packages       list the packages too
  --platform OS/ARCH which of an image for several
  --containerd-root DIR images of a containerd that does not run: /var/lib/containerd of a disk
  --ca FILE        certificates (PEM) that are trusted for registries, too
  --plain-http     speak to the registry without encryption
  --mirror URL     ask this first for Docker Hub's images; HOST=URL for another's
  --malware        hold programs and scripts against rules of malware, too
  --malware-hashes FILE hold every file against a list of MD5, SHA-1 or SHA-256:
                   as sha256sum writes it, CSV of abuse.ch, .hdb or .hsb of ClamAV
  --clamd SOCKET   have a clamd look at every file; tcp://HOST:PORT for another machine
  --offline        ask nobody beyond this machine
  --db FILE        the advisory database; advisories.db in the data folder
${configUsage}`;

const options = {
  ...configFlags,
  "fail-on": { type: "string", multiple: true },
  policy: { type: "string", multiple: true },
  as: { type: "string" },
  "new-since": { type: "string" },
  exceptions: { type: "string" },
  vex: { type: "string", multiple: true },
  "fix-plan": { type: "boolean" },
  format: { type: "string" },
  save: { type: "string", multiple: true },
  packages: { type: "boolean" },
  db: { type: "string" },
  offline: { type: "boolean" },
  malware: { type: "boolean" },
  "malware-hashes": { type: "string", multiple: true },
  clamd: { type: "string" },
  ca: { type: "string", multiple: true },
  "plain-http": { type: "boolean" },
  mirror: { type: "string", multiple: true },
  platform: { type: "string" },
  "containerd-root": { type: "string" },
} as const;

async function run(args: string[], { stdout, stderr }: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  // Whatever is wrong with the call is said before the work.
  const input = inputOf(positionals);
  const gates = (values["fail-on"] ?? []).map(parseGate);
  const format = formatOf(values.format ?? (values["fix-plan"] === true ? "fix-plan" : "table"));
  const saved = (values.save ?? []).map(savedOf);
  const known = await knownBefore(values["new-since"]);
  const asked = values.policy && (await import("../check/images.ts"));
  const policies = asked ? (values.policy ?? []).flatMap((path) => asked.policiesIn(path)) : [];
  if (asked && input.kind !== "image") {
    throw new UsageError("usage", "--policy is about images", { remedy: "bulwark scan image NAME --policy FILE" });
  }

  const line = progress(stderr);
  const found = await look(input, {
    offline: values.offline === true,
    platform: values.platform,
    authorities: values.ca,
    // Who names an authority wants encryption, of a registry of this machine too.
    plainHttp: values["plain-http"] ?? (values.ca === undefined ? undefined : false),
    mirrors: values.mirror,
    containerdRoot: values["containerd-root"],
    malware: values.malware === true,
    listed: await listedIn(values["malware-hashes"]),
    clamd: clamdOf(values.clamd, values.offline === true),
    onProgress: (text) => line.show(text),
  });
  line.show("matching");
  const database = values.db ?? join(values.data ?? (await dataFolder(values.config)), "advisories.db");
  const tool = { name: "bulwark", version: version() };
  const matched = await matchedWith(found.inventory, database);
  const judged = await withVex(newReport({ tool, ...found, matched }), values.vex ?? []);
  const decided = await withExceptions(judged, input, values.exceptions);
  const whole = { name: values.as ?? input.name, offline: values.offline === true, created: found.created };
  const report = asked ? await asked.withPolicies(decided, policies, whole) : decided;
  line.clear();

  const fresh =
    known &&
    new Set(
      problemsOf(report)
        .filter(isUnknownTo(known))
        .map(({ item }) => item),
    );
  const output = { packages: values.packages, fresh };
  const write = await format.load();
  stdout.write(write(report, { ...output, colour: "isTTY" in stdout && stdout.isTTY === true }));
  for (const { load, file } of saved) writeFileSync(file, (await load())(report, output));
  if (report.vulnerabilities === null) {
    stderr.write(`bulwark scan: no advisory database at ${database}: run bulwark db update\n`);
  }
  const has = (wanted: PolicyVerdict["verdict"]): boolean =>
    report.policies?.some(({ verdict }) => verdict === wanted) ?? false;
  if (failing(report, gates, known).length > 0 || has("denied")) return 1;
  return isPartial(report) || has("unknown") ? 3 : 0;
}

function isUnknownTo(known: ReadonlySet<string>): (problem: Problem) => boolean {
  return ({ fingerprint }) => !known.has(fingerprint);
}

function savedOf(text: string): { load: (typeof formats)[number]["load"]; file: string } {
  const [, name, file] = /^(\w[\w-]*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || file === undefined) {
    throw new UsageError("usage", `--save ${text}: no form and file`, { remedy: "--save sarif=scan.sarif" });
  }
  return { load: formatOf(name).load, file };
}

export const scanCommand: Command = { name: "scan", summary: "what is inside", usage, run };
