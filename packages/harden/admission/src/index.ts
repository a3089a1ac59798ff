/** Kubernetes' admission policies: the same verdict in files, at admission, and over what runs. */
export { compilePolicy, type CompiledPolicy } from "./compile.ts";
export { createAdmission, type Admission, type AdmissionOptions, type Decision, type Review } from "./engine.ts";
export { AdmissionError } from "./error.ts";
export { requestFor } from "./from-object.ts";
export { diffPatch, type Operation } from "./json-patch.ts";
export {
  admissionOf,
  caseProblems,
  casesOf,
  defaultBinding,
  fixed,
  loadLibrary,
  readPolicies,
  type LibraryPolicy,
} from "./library.ts";
export type { AdmissionRequest, Json } from "./request.ts";
