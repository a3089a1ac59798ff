import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/** Installed gems: RubyGems writes a `.gemspec` for each into `specifications`. https://guides.rubygems.org/specification-reference/ */
export const gemspec: Extractor = {
  name: "gem",
  kind: "installed",
  limit: megabyte,
  files: { endings: [".gemspec"], path: /\/specifications\/(?:default\/)?[^/]+\.gemspec$/ },
  extract(content): Found {
    const text = content.toString("utf8");
    const name = /^\s*\w+\.name\s*=\s*["']([^"']+)["']/m.exec(text)?.[1];
    const version = /^\s*\w+\.version\s*=\s*(?:Gem::Version\.new\s*\(?)?["']([^"']+)["']/m.exec(text)?.[1];
    if (name === undefined || version === undefined) throw new Error("no name and version in it");
    const written = /^\s*\w+\.licenses?\s*=\s*(.*)$/m.exec(text)?.[1] ?? "";
    const licences = [...written.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? "");
    return { packages: [{ type: "gem", name, version, licences }], errors: [] };
  },
};

/** `Gemfile.lock`: gems of servers (`GEM`) and of repositories (`GIT`); `PATH` is the project's own. */
export const gemfileLock: Extractor = {
  name: "gemfile-lock",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["Gemfile.lock", "gems.locked"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    let section = "";
    for (const line of lines(content.toString("utf8"))) {
      if (/^[A-Z]/.test(line)) section = line.trim();
      const [, name, version] = /^ {4}([^\s(]+) \(([^)]+)\)$/.exec(line) ?? [];
      if (name === undefined || version === undefined || (section !== "GEM" && section !== "GIT")) continue;
      // `1.13.6-x86_64-linux`: what follows the hyphen is the platform.
      packages.push({ type: "gem", name, version: version.split("-")[0] ?? version });
    }
    return { packages, errors: [] };
  },
};
