import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { list, parseJson, record, text } from "../formats/data.ts";
import { parseYaml } from "../formats/yaml.ts";

/** What conda installed: one file for each in `conda-meta`. https://docs.conda.io/projects/conda/en/stable/dev-guide/specs/conda-meta.html */
export const conda: Extractor = {
  name: "conda",
  kind: "installed",
  limit: 16 * megabyte,
  files: { endings: [".json"], path: /\/conda-meta\/[^/]+\.json$/ },
  extract(content): Found {
    const entry = record(parseJson(content));
    const name = text(entry["name"]);
    const version = text(entry["version"]);
    if (name === undefined || version === undefined) throw new Error("no name and version in it");
    const licence = text(entry["license"]);
    const architecture = text(entry["subdir"]) ?? "";
    return {
      packages: [{ type: "conda", name, version, architecture, licences: licence ? [licence] : [] }],
      errors: [],
    };
  },
};

/** `conda-lock.yml` https://conda.github.io/conda-lock/output/ */
export const condaLock: Extractor = {
  name: "conda-lock",
  kind: "locked",
  limit: 16 * megabyte,
  files: { names: ["conda-lock.yml", "conda-lock.yaml"] },
  extract(content): Found {
    const packages = list(record(parseYaml(content))["package"])
      .map(record)
      .flatMap((entry): FoundPackage[] => {
        const name = text(entry["name"]);
        const version = text(entry["version"]);
        if (name === undefined || version === undefined) throw new Error("an entry without name or version");
        const development = (text(entry["category"]) ?? "main") !== "main";
        return [{ type: entry["manager"] === "pip" ? "pypi" : "conda", name, version, development }];
      });
    return { packages, errors: [] };
  },
};
