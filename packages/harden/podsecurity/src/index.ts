export { checkPod, checks, levels, PodSecurityError, type Level, type Violation } from "./check-pod.ts";
export { runPodSecuritySuite, type PodSecurityResult } from "./conformance.ts";
