import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { updateDatabase } from "@bulwark/advisory";

/** Version that fixes a package of Alpine 3.20 → what it fixes. */
export type Fixes = Record<string, string[]>;

/** Builds a real advisory database from a mirror that holds Alpine's list of one package. */
export async function writeAdvisories(into: string, packageName: string, secfixes: Fixes): Promise<void> {
  const mirror = `${into}.mirror`;
  const file = join(mirror, "alpine/v3.20/main.json");
  await mkdir(dirname(file), { recursive: true });
  const list = { distroversion: "v3.20", packages: [{ pkg: { name: packageName, secfixes } }] };
  await writeFile(file, JSON.stringify(list));
  await updateDatabase({ into, from: mirror });
  await rm(mirror, { recursive: true });
}
