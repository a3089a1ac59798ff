import { compareDigits } from "./digits.ts";
import { compareText } from "./text.ts";

/** Lists of numbers in the order of lists: the first difference decides, else the longer is the greater. */
export function compareNumberLists(a: string[], b: string[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [s = "", t = ""] = [a[at], b[at]];
    const [first, second] = [/^\d+$/.test(s), /^\d+$/.test(t)];
    if (first !== second) return first ? 1 : -1;
    const order = first ? compareDigits(s, t) : compareText(s, t);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}
