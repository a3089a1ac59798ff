import { codeVersion, LayerCache, stampOf } from "@bulwark/examine";
import type { Inventory } from "@bulwark/model";
import type { Matched } from "@bulwark/report";

/**
 * What the advisories of a file say of packages; undefined where there is no such file. Of the same packages and the same
 * file it is known: then neither the database is opened nor what asks it is loaded. Raises `AdvisoryError`.
 */
export async function matchedWith(inventory: Inventory, file: string): Promise<Matched | undefined> {
  const stamp = stampOf(file);
  if (stamp === "") return undefined;
  const cache = new LayerCache();
  const key = ["matched", codeVersion([{ package: "@bulwark/report", content: [] }]), stamp, inventory];
  const known = cache.conclusion(key);
  if (known) return known as Matched;
  const { matchedIn } = await import("@bulwark/report/matched");
  const matched = await matchedIn(inventory, file);
  cache.keepConclusion(key, matched);
  return matched;
}
