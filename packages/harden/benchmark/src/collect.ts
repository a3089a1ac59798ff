import type { Facts } from "@bulwark/check";
import { createHost, type Collector, type Needs } from "./collector.ts";
import { access } from "./facts/access.ts";
import { accounts } from "./facts/accounts.ts";
import { audit } from "./facts/audit.ts";
import { files } from "./facts/files.ts";
import { firewall } from "./facts/firewall.ts";
import { kernel } from "./facts/kernel.ts";
import { kubernetes } from "./facts/kubernetes.ts";
import { mounts } from "./facts/mounts.ts";
import { privileged } from "./facts/privileged.ts";
import { programs } from "./facts/programs.ts";
import { processes } from "./facts/processes.ts";
import { runtimes } from "./facts/runtimes.ts";
import { settings } from "./facts/settings.ts";
import { ssh } from "./facts/ssh.ts";
import { sysctl } from "./facts/sysctl.ts";
import { system } from "./facts/system.ts";
import { units } from "./facts/units.ts";
import { walkCollector } from "./facts/walk.ts";
import { openRoot } from "./root.ts";

export interface CollectOptions {
  /** Where the host's root is mounted here; `/` is the host that this runs on. */
  root?: string;
  needs: Needs;
  /** Walk the whole file system, too. */
  deep?: boolean;
}

const collectors: readonly Collector[] = [
  system,
  kernel,
  sysctl,
  mounts,
  processes,
  units,
  files,
  settings,
  accounts,
  access,
  audit,
  privileged,
  ssh,
  firewall,
  runtimes,
  kubernetes,
  programs,
];

/** The names that checks of hosts know facts by. */
export const hostVariables: readonly string[] = [...collectors, walkCollector(false)]
  .flatMap(({ variables }) => variables)
  .concat("versions");

/** Looks at a host once: all that its checks ask for. Reads files only; runs nothing. */
export function collectHost({ root = "/", needs, deep = false }: CollectOptions): Facts {
  const { host, missing } = createHost(openRoot(root), needs);
  const values: Record<string, unknown> = {};
  for (const collector of [...collectors, walkCollector(deep)]) Object.assign(values, collector.collect(host));
  // Who has a database of advisories asks it afterwards: `withVersions`.
  host.miss("versions", "where this host was looked at there are no advisories; a server asks its own");
  return { values, missing };
}
