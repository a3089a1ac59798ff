/** Does a text follow a pattern in which `*` stands for any characters? */
export function like(pattern: string, text: string): boolean {
  return matches([...pattern], [...text], "*", (one, other) => one === other);
}

/**
 * Is a path one of a glob: `*` stands for any characters of one name, `**` for any number of folders? Both are taken as
 * relative to the root of what is scanned.
 */
export function inGlob(glob: string, path: string): boolean {
  return matches(names(glob), names(path), "**", like);
}

function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Two sequences, the star in the pattern standing for any number of parts. Goes back to the last star only: never more than n·m. */
function matches(
  pattern: string[],
  parts: string[],
  star: string,
  fits: (wanted: string, part: string) => boolean,
): boolean {
  let at = 0;
  let part = 0;
  let lastStar = -1;
  let restart = 0;
  while (part < parts.length) {
    const wanted = pattern[at];
    if (wanted === star) {
      lastStar = at++;
      restart = part;
    } else if (wanted !== undefined && fits(wanted, parts[part] ?? "")) {
      at++;
      part++;
    } else if (lastStar >= 0) {
      at = lastStar + 1;
      part = ++restart;
    } else return false;
  }
  while (pattern[at] === star) at++;
  return at === pattern.length;
}
