/** Which images may run: CEL over an image's name, age, signatures, attestations and scan. */
export { ImagePolicyError } from "./error.ts";
export { notScanned, registrySource, weaknessOf, type ImageSource, type ScanFacts } from "./facts.ts";
export { aboutOf, imageCaseProblems, imageCasesOf, loadImagePolicies, type ImagePolicyFile } from "./library.ts";
export { readImagePolicy, type ImagePolicy } from "./policy.ts";
export { createImageJudge, policyVerdictOf, type ImageJudge, type Verdict } from "./verdict.ts";
