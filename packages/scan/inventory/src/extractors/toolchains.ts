import { megabyte, type Extractor, type Found } from "../extractor.ts";
import { lines } from "../formats/stanza.ts";

/** A Java runtime tells what it is in `release` at its home: `JAVA_VERSION="17.0.9"`. https://openjdk.org/jeps/223 */
export const javaRuntime: Extractor = {
  name: "java-runtime",
  kind: "installed",
  limit: megabyte,
  files: { names: ["release"] },
  extract(content): Found | undefined {
    const values = new Map<string, string>();
    for (const line of lines(content.toString("utf8"))) {
      const [, key, value] = /^([A-Z_]+)="?([^"]*)"?$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) values.set(key, value);
    }
    const version = values.get("JAVA_VERSION");
    if (version === undefined || version === "") return undefined;
    const vendor = values.get("IMPLEMENTOR");
    const name = "openjdk";
    return {
      packages: [{ type: "binary", name, version, vendor, architecture: values.get("OS_ARCH") ?? "" }],
      errors: [],
    };
  },
};

/** A toolchain of Go tells its version at its root. */
export const goToolchain: Extractor = {
  name: "go-toolchain",
  kind: "installed",
  limit: megabyte,
  files: { names: ["VERSION"], path: /\/go[^/]*\/VERSION$/ },
  extract(content): Found | undefined {
    const version = /^go(\d+\.\d+\S*)/.exec(content.toString("utf8"))?.[1];
    return version === undefined
      ? undefined
      : { packages: [{ type: "binary", name: "go", version, licences: ["BSD-3-Clause"] }], errors: [] };
  },
};
