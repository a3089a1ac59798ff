import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/** `go.mod`: what is required, replacements applied. https://go.dev/ref/mod#go-mod-file */
export const goMod: Extractor = {
  name: "go-mod",
  kind: "locked",
  limit: 16 * megabyte,
  files: { names: ["go.mod"] },
  extract(content): Found {
    const required = new Map<string, string>();
    const replaced: { name: string; version: string | undefined; by: string; byVersion: string }[] = [];
    let goVersion = "";
    let toolchain: string | undefined;
    for (const { verb, words } of directives(content.toString("utf8"))) {
      const [first = "", second] = words;
      if (verb === "require" && second !== undefined) required.set(first, second);
      else if (verb === "go") goVersion = first;
      else if (verb === "toolchain") toolchain = /^go(\d[^\s-]*)/.exec(first)?.[1];
      else if (verb === "replace") {
        const arrow = words.indexOf("=>");
        const [by, byVersion] = words.slice(arrow + 1);
        // A replacement by a folder has no version: the code is the project's own.
        if (arrow > 0 && by !== undefined)
          replaced.push({ name: first, version: arrow > 1 ? second : undefined, by, byVersion: byVersion ?? "" });
      }
    }
    const packages: FoundPackage[] = [];
    for (const [name, version] of required) {
      const other = replaced.find((item) => item.name === name && (item.version ?? version) === version);
      if (other?.byVersion === "") continue;
      packages.push({ type: "golang", name: other?.by ?? name, version: other?.byVersion ?? version });
    }
    if (toolchain !== undefined) packages.push({ type: "golang", name: "stdlib", version: toolchain });
    // Since Go 1.17 all that is needed is in go.mod; go.sum then only has more versions than are used.
    const [major = 0, minor = 0] = goVersion.split(".").map(Number);
    const whole = major > 1 || (major === 1 && minor >= 17);
    return { packages, errors: [], ...(whole && { supersedes: ["go.sum"] }) };
  },
};

function* directives(text: string): Generator<{ verb: string; words: string[] }> {
  let block: string | undefined;
  for (const line of lines(text)) {
    const words = line
      .replace(/\/\/.*$/, "")
      .split(/\s+/)
      .filter((word) => word !== "")
      .map((word) => word.replaceAll(/^["`]|["`]$/g, ""));
    const [first] = words;
    if (first === undefined) continue;
    if (block !== undefined) {
      if (first === ")") block = undefined;
      else yield { verb: block, words };
    } else if (words[1] === "(" || first.endsWith("(")) block = first.replace("(", "");
    else yield { verb: first, words: words.slice(1) };
  }
}

/** `go.sum` of modules before Go 1.17: the versions whose code was fetched, the newest of each. https://go.dev/ref/mod#go-sum-files */
export const goSum: Extractor = {
  name: "go-sum",
  kind: "locked",
  limit: 16 * megabyte,
  files: { names: ["go.sum"] },
  extract(content): Found {
    const newest = new Map<string, string>();
    for (const line of lines(content.toString("utf8"))) {
      const [name, version] = line.split(" ");
      if (!name || !version || version.endsWith("/go.mod")) continue;
      // Sorted by module and, within it, by version.
      newest.set(name, version);
    }
    return { packages: [...newest].map(([name, version]) => ({ type: "golang", name, version })), errors: [] };
  },
};
