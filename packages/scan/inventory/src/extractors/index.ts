import type { Extractor } from "../extractor.ts";
import { apk } from "./apk.ts";
import { dpkg, dpkgCopyright, dpkgFiles } from "./dpkg.ts";
import { pacman } from "./pacman.ts";
import { rpm, rpmManifest } from "./rpm.ts";

/** Every extractor there is. */
export const extractors: readonly Extractor[] = [dpkg, dpkgFiles, dpkgCopyright, apk, rpm, rpmManifest, pacman];
