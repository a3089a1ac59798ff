import { inflateSync } from "node:zlib";
import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";
import { parseToml } from "../formats/toml.ts";
import { openElf } from "../formats/elf.ts";

/** `Cargo.lock`. What has no source is the project's own. https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html */
export const cargoLock: Extractor = {
  name: "cargo-lock",
  kind: "locked",
  limit: 32 * megabyte,
  files: { names: ["Cargo.lock"] },
  extract(content): Found {
    const packages = list(parseToml(content)["package"])
      .map(record)
      .filter((entry) => entry["source"] !== undefined)
      .map((entry) => nameAndVersion(entry));
    return { packages, errors: [] };
  },
};

/** What `cargo auditable` writes into programs: https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md */
export const rustBinary: Extractor = {
  name: "rust-binary",
  kind: "installed",
  limit: 512 * megabyte,
  files: { programs: true },
  extract(content): Found | undefined {
    const section = openElf(content)?.section(".dep-v0");
    if (!section) return undefined;
    const document = record(parseJson(inflateSync(section, { maxOutputLength: 32 * megabyte })));
    const packages = list(document["packages"])
      .map(record)
      .map((entry) => ({ ...nameAndVersion(entry), development: entry["kind"] === "build" }));
    return { packages, errors: [] };
  },
};

function nameAndVersion(entry: Record<string, unknown>): FoundPackage {
  const name = text(entry["name"]);
  const version = text(entry["version"]);
  if (name === undefined || version === undefined) throw new Error("a package without name or version");
  return { type: "cargo", name, version };
}
