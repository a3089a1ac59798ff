import { maskText } from "@bulwark/secret";

/** Takes credentials out of the build steps that things came with; a step is the same text for many. */
export function stepMasker(): <T extends { step: string | null }>(item: T) => T {
  const known = new Map<string, string>();
  return (item) => {
    const { step } = item;
    if (step === null) return item;
    const masked = known.get(step) ?? maskText(step);
    known.set(step, masked);
    return { ...item, step: masked };
  };
}
