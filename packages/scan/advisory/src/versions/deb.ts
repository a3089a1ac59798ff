import { compareDigits, isDigit, isLetter } from "./digits.ts";

/**
 * Debian's order: deb-version(7), lib/dpkg/version.c of dpkg. Epoch, then upstream version, then revision; an absent one
 * is 0. Any text has a place in the order: what is no version compares by the same rules.
 */
export function compareDeb(a: string, b: string): number {
  const x = split(a);
  const y = split(b);
  return compareDigits(x.epoch, y.epoch) || comparePart(x.upstream, y.upstream) || comparePart(x.revision, y.revision);
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const text = version.trim();
  const colon = text.indexOf(":");
  const epoch = colon > 0 && /^\d+$/.test(text.slice(0, colon)) ? text.slice(0, colon) : "0";
  const rest = colon >= 0 && epoch === text.slice(0, colon) ? text.slice(colon + 1) : text;
  const dash = rest.lastIndexOf("-");
  return { epoch, upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? "" : rest.slice(dash + 1) };
}

/** verrevcmp: runs of non-digits by weight, runs of digits as numbers, in turn. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    const [from, to] = [i, j];
    while (isDigit(a.charCodeAt(i))) i++;
    while (isDigit(b.charCodeAt(j))) j++;
    const order = compareDigits(a.slice(from, i), b.slice(to, j));
    if (order !== 0) return order;
  }
  return 0;
}

/** `~` before the end, the end (and digits) before letters, letters before everything else. */
function weight(text: string, at: number): number {
  if (at >= text.length) return 0;
  const code = text.charCodeAt(at);
  if (isDigit(code)) return 0;
  if (isLetter(code)) return code;
  return code === 126 ? -1 : code + 256;
}
