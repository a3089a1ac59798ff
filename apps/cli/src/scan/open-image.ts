import type { FileTree, ImageStore, RegistryOptions } from "@bulwark/image";
import { openImage, parsePlatform } from "@bulwark/image/open";
import { UsageError } from "../local/options.ts";

/** How images are found: what the command line says of it. */
export interface ImageOptions {
  /** Nobody is asked beyond this machine. */
  offline: boolean;
  /** `linux/arm64`; of an image for several. */
  platform: string | undefined;
  /** Files with certificates in PEM. */
  authorities: string[] | undefined;
  plainHttp: boolean | undefined;
  /** `HOST=URL`, or the URL alone for Docker Hub. */
  mirrors: string[] | undefined;
  /** Root folder of a containerd: its images alone, whether it runs or not. */
  containerdRoot?: string | undefined;
}

/** `containerd://nginx:1.27`: look there only. */
const schemes = ["docker", "containerd", "registry", "file"];
const schemeForm = /^([a-z]+):\/\/(.+)$/s;

/** The name of an image, without where it was to be looked for. */
export function bareName(text: string): string {
  return schemeForm.exec(text)?.[2] ?? text;
}

function containerd(root: string | undefined): ImageStore {
  return {
    name: "containerd",
    async find(...asked) {
      const { findContainerdImage, findImageInRoot } = await import("./containerd.ts");
      return root === undefined ? findContainerdImage(...asked) : findImageInRoot(root, ...asked);
    },
  };
}

/** An image by what comes behind `scan image`. Raises `UsageError` and `ImageError`. */
export async function openNamedImage(text: string, options: ImageOptions): Promise<FileTree> {
  const [, scheme] = schemeForm.exec(text) ?? [];
  if (scheme !== undefined && !schemes.includes(scheme)) {
    const known = schemes.map((name) => `${name}://`).join(", ");
    throw new UsageError("usage", `${scheme}://: no such place to look for images`, { remedy: `one of ${known}` });
  }
  return openImage(bareName(text), {
    from: scheme ?? (options.containerdRoot === undefined ? undefined : "containerd"),
    stores: [containerd(options.containerdRoot)],
    offline: options.offline,
    platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
    authorities: options.authorities,
    plainHttp: options.plainHttp,
    mirrors: mirrorsOf(options.mirrors ?? []),
  });
}

function mirrorsOf(texts: string[]): RegistryOptions["mirrors"] {
  const mirrors: Record<string, string[]> = {};
  for (const text of texts) {
    const [, host = "docker.io", address] = /^(?:([^=/]+)=)?(https?:\/\/.+)$/.exec(text) ?? [];
    if (address === undefined) {
      throw new UsageError("usage", `--mirror ${text}: no mirror`, {
        remedy: "--mirror https://mirror.example for Docker Hub, --mirror quay.io=https://mirror.example for another",
      });
    }
    (mirrors[host] ??= []).push(address);
  }
  return mirrors;
}
