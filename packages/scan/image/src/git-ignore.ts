import { lstatSync, readFileSync } from "node:fs";
import ignore, { type Ignore } from "ignore";

/** Of one `.gitignore`. */
const sizeLimit = 1024 * 1024;

/** What git leaves out of a working tree. Folders are entered from the root down. https://git-scm.com/docs/gitignore */
export class GitIgnore {
  /** Rules by the folder that they stand in. */
  readonly #rules = new Map<string, Ignore>();

  constructor(root: string) {
    this.#add("", `${root}/.git/info/exclude`);
  }

  enter(folder: string, place: string): void {
    this.#add(folder, `${place}/.gitignore`);
  }

  /** The nearest file that has something to say decides; what is below an ignored folder is never asked about. */
  ignores(path: string, isFolder: boolean): boolean {
    if (path.endsWith("/.git")) return true;
    for (let at = path.lastIndexOf("/"); at >= 0; at = at === 0 ? -1 : path.lastIndexOf("/", at - 1)) {
      const rules = this.#rules.get(path.slice(0, at));
      if (!rules) continue;
      const { ignored, unignored } = rules.test(path.slice(at + 1) + (isFolder ? "/" : ""));
      if (ignored || unignored) return ignored;
    }
    return false;
  }

  #add(folder: string, path: string): void {
    try {
      const found = lstatSync(path);
      if (!found.isFile() || found.size > sizeLimit) return;
      const rules = this.#rules.get(folder) ?? ignore({ allowRelativePaths: true });
      this.#rules.set(folder, rules.add(readFileSync(path, "utf8")));
    } catch {
      // There is none.
    }
  }
}
