/** Kubernetes' admission policies. */
export { AdmissionError } from "./error.ts";
