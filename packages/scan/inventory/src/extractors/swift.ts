import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";

/** `Package.resolved`, versions 1 to 3. https://github.com/swiftlang/swift-package-manager */
export const swift: Extractor = {
  name: "swift",
  kind: "locked",
  limit: 8 * megabyte,
  files: { names: ["Package.resolved"] },
  extract(content): Found {
    const document = record(parseJson(content));
    const pins = document["version"] === 1 ? record(document["object"])["pins"] : document["pins"];
    const packages: FoundPackage[] = [];
    for (const pin of list(pins).map(record)) {
      const location = text(pin["location"]) ?? text(pin["repositoryURL"]);
      const state = record(pin["state"]);
      const version = text(state["version"]) ?? text(state["revision"]);
      if (location === undefined || version === undefined) continue;
      packages.push({ type: "swift", name: nameOf(location), version });
    }
    return { packages, errors: [] };
  },
};

/** `https://github.com/apple/swift-nio.git` and `git@github.com:apple/swift-nio.git` are `github.com/apple/swift-nio`. */
function nameOf(location: string): string {
  return location
    .replace(/^\w+:\/\/(?:[^@/]+@)?/, "")
    .replace(/^[^@/]+@([^:/]+):/, "$1/")
    .replace(/\.git\/?$/, "");
}
