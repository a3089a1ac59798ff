import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@bulwark/model/plain";
import { ContentError } from "./error.ts";

const fileLimit = 1024 * 1024;

export interface ContentText {
  /** For messages: the path, as it was found. */
  readonly name: string;
  readonly text: string;
}

/** Where Bulwark's own content of a kind lies: `checks/dockerfile`. */
export function contentFolder(kind: string): string {
  return join(import.meta.dirname, "../../../../content", kind);
}

/** The files of a folder and those below, in the order of their names. Raises `ContentError` `unreadable`. */
export function readContent(folder: string, extension = "yaml"): ContentText[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ContentError("unreadable", `${folder}: no such folder`, { remedy: "name a folder of content" });
  }
  const files = globSync(`**/*.${extension}`, { cwd: folder }).toSorted();
  return files.map((file) => ({ name: join(folder, file), text: readText(join(folder, file)) }));
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > fileLimit) throw new Error(`${size} bytes; at most ${fileLimit} are read`);
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ContentError("unreadable", `${file}: ${errorText(error)}`, { cause: error });
  }
}
