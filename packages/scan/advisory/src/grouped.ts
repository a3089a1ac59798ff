/** Items that share a name, or share one with an item that does, are of one group. In the order of the first of each. */
export function grouped<T>(items: readonly T[], namesOf: (item: T) => readonly string[]): T[][] {
  const groups: (T[] | undefined)[] = [];
  const groupOf = new Map<string, number>();
  for (const item of items) {
    const names = namesOf(item);
    const [first, ...others] = [...new Set(names.flatMap((name) => groupOf.get(name) ?? []))].toSorted((a, b) => a - b);
    const target = first ?? groups.push([]) - 1;
    const group = (groups[target] ??= []);
    group.push(item);
    for (const other of others) {
      group.push(...(groups[other] ?? []));
      groups[other] = undefined;
    }
    for (const member of others.length > 0 ? group : [item]) {
      for (const name of namesOf(member)) groupOf.set(name, target);
    }
  }
  return groups.filter((group) => group !== undefined);
}
