/** Labels of a name, the last of which are looked at: what rules name has no more. */
const labelsKept = 16;

/** A name and all that it is below of: `a.b.org` is of `a.b.org`, `b.org` and `org`. */
export function domainsOf(name: string): string[] {
  const labels = name.split(".").slice(-labelsKept);
  const domains = labels.map((_, index) => labels.slice(index).join("."));
  return domains[0] === name ? domains : [name, ...domains];
}
