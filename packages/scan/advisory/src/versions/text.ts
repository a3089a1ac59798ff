/** Order by code units: what the definitions call ASCII order, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
