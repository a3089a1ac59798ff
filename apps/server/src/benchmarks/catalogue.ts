import type { Catalogue } from "@bulwark/benchmark";
import { inThread } from "./thread.ts";

let loaded: Promise<Catalogue> | undefined;

/** What is known of benchmarks and their checks. Read once, in a thread: hundreds of expressions are compiled with it. */
export async function catalogue(): Promise<Catalogue> {
  loaded ??= inThread<Catalogue>({ kind: "catalogue" }).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}
