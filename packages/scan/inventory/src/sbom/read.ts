import { errorText, BulwarkError } from "@bulwark/model/plain";
import { parseJson, record, text } from "../formats/data.ts";
import { isCycloneDx, listCycloneDx } from "./cyclonedx-read.ts";
import type { ListedDocument, Sbom } from "./document.ts";
import { listPurls } from "./purl-list.ts";
import { isSpdx2, listSpdx2 } from "./spdx2-read.ts";
import { isSpdx3, listSpdx3 } from "./spdx3-read.ts";
import { toSbom } from "./to-inventory.ts";

/** `not-an-sbom`: none of the forms that we read. */
export class SbomError extends BulwarkError<"not-an-sbom"> {}

/**
 * Reads a bill of materials: CycloneDX 1.2 to 1.7 and SPDX 2 and 3 as JSON, by itself or as the predicate of an in-toto
 * statement, or a list of package URLs, one a line. Raises `SbomError`; what is broken in part is in the inventory's
 * extractor `sbom`.
 */
export function readSbom(content: Buffer): Sbom {
  const start = content.toString("utf8", 0, 4096).trimStart();
  if (!/^\uFEFF?\{/.test(start)) {
    if (/^(?:#|pkg:)/m.test(start)) return toSbom(listPurls(content.toString("utf8")));
    throw notAnSbom("neither JSON nor a list of package URLs");
  }
  const listed = list(documentOf(content), wrappingLimit);
  if (!listed) throw notAnSbom("JSON that is neither CycloneDX nor SPDX");
  return toSbom(listed);
}

/** An envelope around a statement around the bill. */
const wrappingLimit = 4;

function list(document: Record<string, unknown>, wrappings: number): ListedDocument | undefined {
  if (isCycloneDx(document)) return listCycloneDx(document);
  if (isSpdx2(document)) return listSpdx2(document);
  if (isSpdx3(document)) return listSpdx3(document);
  // https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, in its envelope or without
  if (wrappings === 0) return undefined;
  const payload = text(document["payload"]);
  if (payload !== undefined && document["payloadType"] === "application/vnd.in-toto+json")
    return list(documentOf(Buffer.from(payload, "base64")), wrappings - 1);
  return document["predicate"] === undefined ? undefined : list(record(document["predicate"]), wrappings - 1);
}

function documentOf(content: Buffer): Record<string, unknown> {
  try {
    return record(parseJson(content));
  } catch (error) {
    throw notAnSbom(errorText(error), error);
  }
}

function notAnSbom(message: string, cause?: unknown): SbomError {
  return new SbomError("not-an-sbom", `no bill of materials: ${message}`, {
    remedy: "CycloneDX or SPDX as JSON, or package URLs, one a line",
    cause,
  });
}
