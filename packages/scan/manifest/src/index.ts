/** Misconfiguration of images and Dockerfiles, by the checks in `content/checks`. */
export { imageCheckAnalyzer, type ImageCheckResult } from "./analyzer.ts";
export { checkDockerfile } from "./checks.ts";
export { parseDockerfile, type Instruction, type ParsedDockerfile } from "./dockerfile.ts";
export type { FileFact } from "./image-facts.ts";
