import type { Inventory, OperatingSystem } from "@bulwark/model";

/** What a bill of materials is about. */
interface Subject {
  name: string;
  /** Of an image; null elsewhere. */
  digest: string | null;
  /** `image`, or anything else that is scanned. */
  kind: string;
}

/** What is written: the same document gives the same bytes. */
export interface SbomDocument {
  subject: Subject;
  inventory: Inventory;
  /** ISO 8601. */
  createdAt: string;
  tool: { name: string; version: string };
}

/** What was read. */
export interface Sbom {
  /** As the document names what it is about. */
  name: string;
  digest: string | null;
  inventory: Inventory;
}

/** What a form has of a package, before it is checked. */
export interface Listed {
  /** For messages: name or reference in the document. */
  reference: string;
  name: string;
  version: string | undefined;
  purl: string | undefined;
  licences: string[];
  /** Beyond what the form has a place for, by our names, and by those of Trivy and Syft. */
  properties: ReadonlyMap<string, string>;
}

/** What a form tells, before it is checked. */
export interface ListedDocument {
  name: string;
  digest: string | null;
  os: OperatingSystem | null;
  packages: Listed[];
  /** What the scan that wrote the document could not read. */
  parts: unknown[];
}
