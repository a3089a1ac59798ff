import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { updateDatabase } from "@bulwark/advisory";

/** Version that fixes a package of Alpine 3.20 → what it fixes. */
export type Fixes = Record<string, string[]>;

/** Builds a real advisory database from a mirror that holds Alpine's list of one package. */
export async function writeAdvisories(into: string, packageName: string, secfixes: Fixes): Promise<void> {
  const list = { distroversion: "v3.20", packages: [{ pkg: { name: packageName, secfixes } }] };
  await build(into, "alpine/v3.20/main.json", list);
}

/** Builds one that knows a weakness of kubelets before a version. */
export async function writeKubeletAdvisory(into: string, fixed: string): Promise<void> {
  const advisory = {
    ...{ id: "CVE-2099-1", modified: "2099-01-01T00:00:00Z", summary: "a way to the node" },
    affected: [
      {
        package: { ecosystem: "kubernetes", name: "k8s.io/kubelet" },
        severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H" }],
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }],
      },
    ],
  };
  await build(into, "kubernetes/components.json", [advisory]);
}

async function build(into: string, name: string, content: unknown): Promise<void> {
  const mirror = `${into}.mirror`;
  const file = join(mirror, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(content));
  await updateDatabase({ into, from: mirror });
  await rm(mirror, { recursive: true });
}
