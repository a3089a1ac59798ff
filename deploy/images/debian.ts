import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";

/**
 * Unpacks Debian packages into a root, in the versions that apt would install now, without scripts. What they are is kept
 * in `/var/lib/dpkg/status.d`, one file for each package, where scanners look for it in images without dpkg.
 */
export function unpackPackages(names: readonly string[], root: string, cache: string): void {
  mkdirSync(cache, { recursive: true });
  const status = join(root, "var/lib/dpkg/status.d");
  mkdirSync(status, { recursive: true });
  for (const name of names) {
    const archive = download(name, cache);
    run("dpkg-deb", ["--extract", archive, root]);
    const control = run("dpkg-deb", ["--field", archive]).trimEnd();
    writeFileSync(join(status, name), control.replace(/^(Package: .*)$/m, "$1\nStatus: install ok installed") + "\n");
  }
  // Nobody reads manuals in an image; licences stay.
  for (const folder of ["usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug"]) {
    rmSync(join(root, folder), { recursive: true, force: true });
  }
}

/** A package's file: from the cache, or from Debian's mirror. */
function download(name: string, cache: string): string {
  const version = candidate(name);
  const wanted = (file: string): boolean => file.startsWith(`${name}_${version.replace(":", "%3a")}_`);
  if (!readdirSync(cache).some(wanted)) run("apt-get", ["download", "-qq", `${name}=${version}`], cache);
  const file = readdirSync(cache).find(wanted);
  if (file === undefined) throw new Error(`${name} ${version} was downloaded, but there is no file of it in ${cache}`);
  return join(cache, file);
}

function candidate(name: string): string {
  const version = /Candidate: (\S+)/.exec(run("apt-cache", ["policy", name]))?.[1];
  if (version === undefined || version === "(none)") {
    throw new Error(`Debian has no package ${name} here: run apt-get update, on the release that the image is of`);
  }
  return version;
}

/** Users by name, for tools that print them. */
export function writeUsers(root: string, user: number): void {
  mkdirSync(join(root, "etc"), { recursive: true });
  const more = user === 0 ? "" : `bulwark:x:${user}:${user}:Bulwark:/var/lib/bulwark:/usr/sbin/nologin\n`;
  writeFileSync(join(root, "etc/passwd"), `root:x:0:0:root:/root:/usr/sbin/nologin\n${more}`);
  writeFileSync(join(root, "etc/group"), `root:x:0:\n${user === 0 ? "" : `bulwark:x:${user}:\n`}`);
  if (!existsSync(join(root, "etc/nsswitch.conf")))
    writeFileSync(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
}
