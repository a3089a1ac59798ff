/** The process of the scan of one image of a registry. */
import { LayerCache, lookInto, serveApart } from "@bulwark/examine";
import { openImage, parsePlatform, type RegistryOptions } from "@bulwark/image";
import type { ImageReport } from "@bulwark/model";

export interface RegistryScanJob {
  /** With its digest: the tag may lead elsewhere by now. */
  reference: string;
  platform: string;
  /** How the registry is asked. */
  registry: Pick<RegistryOptions, "credentials" | "authorities" | "plainHttp">;
  cache: string;
  /** Address of a clamd that looks at every file, too. */
  clamd: string | undefined;
}

export type RegistryScanAnswer = Pick<ImageReport, "inventory" | "secrets" | "malware" | "checks" | "parts">;

serveApart(async (asked, onProgress): Promise<RegistryScanAnswer> => {
  const { reference, platform, registry, cache, clamd } = asked as RegistryScanJob;
  await using tree = await openImage(reference, {
    ...registry,
    from: "registry",
    platform: parsePlatform(platform),
  });
  const { config: _, ...seen } = await lookInto(tree, ["secrets", "malware", "checks"], {
    cache: new LayerCache(cache),
    clamd,
    onProgress: ({ done, total }) => onProgress({ done, total }),
  });
  return {
    inventory: seen.inventory,
    secrets: seen.secrets ?? null,
    malware: seen.malware ?? null,
    checks: seen.checks?.filter(({ state }) => state === "fail" || state === "unknown") ?? null,
    parts: seen.parts,
  };
});
