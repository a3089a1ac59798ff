import { networkEndKey, type NetworkEnd, type NetworkGrain } from "@bulwark/model";

const keys = {
  namespace: new WeakMap<NetworkEnd, string>(),
  workload: new WeakMap<NetworkEnd, string>(),
  pod: new WeakMap<NetworkEnd, string>(),
} satisfies Record<NetworkGrain, unknown>;

/** {@link networkEndKey}, made once for each end: few ends are those of many flows. */
export function endKey(end: NetworkEnd, grain: NetworkGrain): string {
  const known = keys[grain].get(end);
  if (known !== undefined) return known;
  const key = networkEndKey(end, grain);
  keys[grain].set(end, key);
  return key;
}
