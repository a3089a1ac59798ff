import { compareDigits } from "./digits.ts";
import { compareText } from "./text.ts";

/**
 * Python's order: PEP 440, as `packaging.version` compares. What is no version of PEP 440 comes before all that are, and
 * among its like in the old order of setuptools (`packaging`'s LegacyVersion), so that no text is without a place.
 */
export function comparePep440(a: string, b: string): number {
  const x = parse(a);
  const y = parse(b);
  if (!x || !y) return x ? 1 : y ? -1 : compareLists(legacyKey(a), legacyKey(b), compareText);
  return (
    compareDigits(x.epoch, y.epoch) ||
    compareLists(x.release, y.release, compareDigits) ||
    compareMarks(x.pre, y.pre) ||
    compareMarks(x.post, y.post) ||
    compareMarks(x.dev, y.dev) ||
    compareLocals(x.local, y.local)
  );
}

/** Appendix B of PEP 440. */
const form =
  /^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d+)?)?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d+)?)?(?:[-_.]?(dev)[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/;

/** A part that may be absent: `rank` orders absence against presence, then the kind, then the number. */
interface Mark {
  rank: number;
  number: string;
}
const first: Mark = { rank: -1, number: "0" };
const last: Mark = { rank: 9, number: "0" };

interface Version {
  epoch: string;
  release: string[];
  pre: Mark;
  post: Mark;
  dev: Mark;
  local: string[] | undefined;
}

function parse(text: string): Version | undefined {
  const match = form.exec(text.toLowerCase());
  if (!match) return undefined;
  const [, epoch = "0", release = "0", pre, preNumber = "0", implicit, post, postNumber = "0", dev, devNumber = "0"] =
    match;
  const hasPost = implicit !== undefined || post !== undefined;
  const numbers = release.split(".");
  while (numbers.length > 1 && /^0+$/.test(numbers.at(-1) ?? "")) numbers.pop();
  return {
    epoch,
    release: numbers,
    // A development release of nothing but the release itself comes before its pre-releases.
    pre: pre ? { rank: preRank(pre), number: preNumber } : !hasPost && dev ? first : last,
    post: hasPost ? { rank: 0, number: implicit ?? postNumber } : first,
    dev: dev ? { rank: 0, number: devNumber } : last,
    local: match[10]?.split(/[-_.]/),
  };
}

function preRank(word: string): number {
  return word.startsWith("a") ? 0 : word.startsWith("b") ? 1 : 2;
}

function compareMarks(a: Mark, b: Mark): number {
  return Math.sign(a.rank - b.rank) || compareDigits(a.number, b.number);
}

/** None before any; numbers behind texts; fewer before more. */
function compareLocals(a: string[] | undefined, b: string[] | undefined): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  return compareLists(a, b, (x, y) => {
    const [one, two] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (one !== two) return one ? 1 : -1;
    return one ? compareDigits(x, y) : compareText(x, y);
  });
}

function compareLists(a: string[], b: string[], compare: (x: string, y: string) => number): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at] ?? "", b[at] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

const legacyWords: Record<string, string> = { pre: "c", preview: "c", "-": "final-", rc: "c", dev: "@" };

/** `_legacy_cmpkey` of packaging 21: numbers padded, words behind a star, trailing zeros before a word dropped. */
function legacyKey(text: string): string[] {
  const parts: string[] = [];
  for (const piece of [...text.toLowerCase().split(/(\d+|[a-z]+|\.|-)/), "final"]) {
    if (piece === "" || piece === ".") continue;
    const part = /^\d/.test(piece) ? piece.padStart(8, "0") : `*${legacyWords[piece] ?? piece}`;
    if (part.startsWith("*")) {
      if (part < "*final") while (parts.at(-1) === "*final-") parts.pop();
      while (parts.at(-1) === "00000000") parts.pop();
    }
    parts.push(part);
  }
  return parts;
}
