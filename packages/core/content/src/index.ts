/** Content: rules, checks and kinds that are YAML, not code. */
export { invalid, readDocuments, type ContentDocument } from "./document.ts";
export { ContentError } from "./error.ts";
export { kept } from "./kept.ts";
export { contentFolder, readContent, type ContentText } from "./folder.ts";
