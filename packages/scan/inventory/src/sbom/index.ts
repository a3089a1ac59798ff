/** Bills of materials, in and out, without what looks for packages in files: it loads in a fraction of the time. */
export { toCycloneDx } from "./cyclonedx-write.ts";
export type { Sbom, SbomDocument } from "./document.ts";
export { readSbom, SbomError } from "./read.ts";
export { toSpdx } from "./spdx-write.ts";
