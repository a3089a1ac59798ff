import { megabyte, type Extractor, type Found, type FoundPackage } from "../extractor.ts";
import { parseJson, record, text } from "../formats/data.ts";
import { stanzas } from "../formats/stanza.ts";

/** Installed packages of R: a `DESCRIPTION` with the field `Built`. https://cran.r-project.org/doc/manuals/R-exts.html */
export const rDescription: Extractor = {
  name: "r",
  kind: "installed",
  limit: megabyte,
  files: { names: ["DESCRIPTION"] },
  extract(content): Found | undefined {
    const [fields] = stanzas(content.toString("utf8"));
    const name = fields?.get("Package");
    const version = fields?.get("Version");
    // Without `Built` it is the source of a package. What is of R itself has R's version.
    if (!name || !version || !fields?.has("Built")) return undefined;
    const licence = fields
      .get("License")
      ?.replace(/\s*\+\s*file LICEN[CS]E$/i, "")
      .replace(/\s*\|\s*/g, " OR ");
    return { packages: [{ type: "cran", name, version, licences: licence ? [licence] : [] }], errors: [] };
  },
};

/** `renv.lock` https://rstudio.github.io/renv/articles/lockfile.html */
export const renv: Extractor = {
  name: "renv",
  kind: "locked",
  limit: 16 * megabyte,
  files: { names: ["renv.lock"] },
  extract(content): Found {
    const packages: FoundPackage[] = [];
    for (const [key, value] of Object.entries(record(record(parseJson(content))["Packages"]))) {
      const version = text(record(value)["Version"]);
      if (version === undefined) throw new Error(`no version of ${key.slice(0, 100)}`);
      packages.push({ type: "cran", name: text(record(value)["Package"]) ?? key, version });
    }
    return { packages, errors: [] };
  },
};
