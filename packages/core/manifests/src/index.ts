/** Kubernetes objects from files. */
export { fieldOf, isRecord, recordOf, recordsOf, stringOf } from "./fields.ts";
export { placeText, readFiles, readTexts, type Manifest, type Manifests, type Place, type Problem } from "./read.ts";
