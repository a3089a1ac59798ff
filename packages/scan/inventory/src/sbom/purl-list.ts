import { lines } from "../formats/stanza.ts";
import type { ListedDocument, Listed } from "./document.ts";

/** Package URLs, one a line; `#` begins a comment line. */
export function listPurls(content: string): ListedDocument {
  const packages: Listed[] = [];
  let number = 0;
  for (const line of lines(content)) {
    number++;
    const purl = line.trim();
    if (purl === "" || purl.startsWith("#")) continue;
    packages.push({
      reference: `line ${number}`,
      name: "",
      version: undefined,
      purl,
      licences: [],
      properties: new Map(),
    });
  }
  return { name: "package URLs", digest: null, os: null, packages, parts: [] };
}
