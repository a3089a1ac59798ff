import type { Extractor } from "../extractor.ts";
import { apk } from "./apk.ts";
import { dpkg } from "./dpkg.ts";

/** Every extractor there is. */
export const extractors: readonly Extractor[] = [dpkg, apk];
