import { megabyte, type Extractor, type Found } from "../extractor.ts";
import { lines, stanzas } from "../formats/stanza.ts";

/**
 * Installed distributions of Python: `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, the single file `*.egg-info` that
 * Debian has, and eggs. https://packaging.python.org/en/latest/specifications/core-metadata/
 */
export const pythonInstalled: Extractor = {
  name: "python",
  kind: "installed",
  limit: 4 * megabyte,
  files: {
    names: ["METADATA", "PKG-INFO"],
    endings: [".egg-info"],
    path: /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$|\/EGG-INFO\/PKG-INFO$/,
  },
  extract(content): Found {
    const head = headOf(content.toString("utf8"));
    const [fields] = stanzas(head);
    const name = fields?.get("Name");
    const version = fields?.get("Version");
    if (!name || !version) throw new Error("no Name and Version in it");
    return { packages: [{ type: "pypi", name, version, licences: licencesOf(head, fields) }], errors: [] };
  },
};

/** Up to the description, which is behind a blank line. */
function headOf(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  return end ? text.slice(0, end.index) : text;
}

/** The expression where there is one (PEP 639); else classifiers, which are exact where `License` is free text. */
function licencesOf(head: string, fields: Map<string, string> | undefined): string[] {
  const expression = fields?.get("License-Expression");
  if (expression !== undefined) return [expression];
  const classifiers = [...lines(head)]
    .filter((line) => line.startsWith("Classifier: License :: "))
    .map((line) => line.slice("Classifier: ".length).trim());
  const exact = classifiers.filter((text) => text !== "License :: OSI Approved");
  const free = fields?.get("License")?.split("\n")[0];
  return exact.length > 0 ? exact : free ? [free] : [];
}
