import type { FileTree, TreeFile } from "@bulwark/image";
import { errorText, type ExtractorStatus, type InstalledPackage, type Inventory } from "@bulwark/model";
import { extractors } from "./extractors/index.ts";
import type { Extractor } from "./extractor.ts";
import { operatingSystemOf, osFiles } from "./os-release.ts";

const packagesLimit = 100_000;
const errorsKept = 1000;
const osFileLimit = 65_536;

/**
 * The packages of a file tree. Never fails for what is in the tree: what could not be read is in `extractors`, as
 * `partial` (a file of several, or a part of one) or `failed` (nothing of it).
 */
export async function catalog(tree: FileTree): Promise<Inventory> {
  const osTexts = new Map<string, string>();
  const wanted: { extractor: Extractor; file: TreeFile; content: Buffer | Error }[] = [];
  const broken = await readWanted(tree, osTexts, wanted);
  const os = operatingSystemOf(osTexts);

  const packages: InstalledPackage[] = [];
  const statuses: ExtractorStatus[] = [];
  for (const extractor of extractors) {
    const status = newStatus(extractor.name);
    const mine = wanted.filter((item) => item.extractor === extractor);
    let read = 0;
    for (const { file, content } of mine) {
      try {
        if (content instanceof Error) throw content;
        const found = extractor.extract(content, { path: file.path, layer: file.layer, os });
        packages.push(...found.packages);
        read++;
        for (const message of found.errors) addError(status, file.path, message);
      } catch (error) {
        addError(status, file.path, errorText(error));
      }
    }
    if (status.errors.length > 0) status.state = read === 0 ? "failed" : "partial";
    if (mine.length > 0) statuses.push(status);
  }

  if (broken !== undefined) {
    const status = newStatus("files");
    addError(status, tree.name, broken);
    statuses.push({ ...status, state: packages.length === 0 ? "failed" : "partial" });
  }
  if (packages.length > packagesLimit) {
    const status = newStatus("packages");
    addError(status, tree.name, `${packages.length} packages; the first ${packagesLimit} are kept`);
    statuses.push({ ...status, state: "partial" });
  }
  return { os, packages: packages.slice(0, packagesLimit), extractors: statuses };
}

/** Reads every wanted file; says what ended the reading early, where something did. */
async function readWanted(
  tree: FileTree,
  osTexts: Map<string, string>,
  wanted: { extractor: Extractor; file: TreeFile; content: Buffer | Error }[],
): Promise<string | undefined> {
  const isOsFile = (path: string): boolean => (osFiles as readonly string[]).includes(path);
  const extractorOf = (path: string): Extractor | undefined => extractors.find((extractor) => extractor.wants(path));
  try {
    for await (const file of tree.files((path) => isOsFile(path) || extractorOf(path) !== undefined)) {
      const extractor = extractorOf(file.path);
      if (extractor) wanted.push({ extractor, file, content: await read(file, extractor.limit) });
      else {
        const content = await read(file, osFileLimit);
        if (!(content instanceof Error)) osTexts.set(file.path, content.toString("utf8"));
      }
    }
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function read(file: TreeFile, limit: number): Promise<Buffer | Error> {
  try {
    return await file.read(limit);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function newStatus(extractor: string): ExtractorStatus {
  return { extractor, state: "done", errors: [] };
}

function addError(status: ExtractorStatus, path: string, message: string): void {
  if (status.errors.length < errorsKept)
    status.errors.push({ path: path.slice(0, 4096), message: message.slice(0, 1024) });
}
