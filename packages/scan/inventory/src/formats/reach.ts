/** All that `roots` lead to, themselves included, along `next`. */
export function reach<T>(roots: Iterable<T>, next: (item: T) => Iterable<T>): Set<T> {
  const seen = new Set(roots);
  // A set that grows while it is walked is walked to its new end.
  for (const item of seen) for (const other of next(item)) seen.add(other);
  return seen;
}
