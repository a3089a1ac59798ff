import { compareApk } from "./apk.ts";
import { compareDeb } from "./deb.ts";

/** Orders of versions. A new one is a file beside this and a line here. */
const schemes = { apk: compareApk, deb: compareDeb } as const;

export type VersionScheme = keyof typeof schemes;

/** Negative, zero or positive, as `a` is before, equal to or behind `b`. Never throws. */
export function compareVersions(scheme: VersionScheme, a: string, b: string): number {
  return schemes[scheme](a, b);
}
