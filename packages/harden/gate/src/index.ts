/** The admission webhook: what an API server asks, which policies are in force, and the answer in time. */
export { GateError } from "./error.ts";
export { isNativePolicy, nativeGuard, type Answer, type Finding, type Guard, type Surroundings } from "./guard.ts";
export { imageGuards, imagesOf } from "./image-guard.ts";
export { judge, modeOf, type Judgement, type Ruling } from "./judge.ts";
export { createListener, type ListenerLimits } from "./listener.ts";
export { readReview, type AdmissionResponse } from "./review.ts";
export { guardsOf, managedBy, webhookConfiguration, type Address, type Route } from "./webhooks.ts";
export {
  createSurvey,
  isRunning,
  resourcesOf,
  type Survey,
  type SurveyOptions,
  type SurveyResult,
  type Workload,
} from "./survey.ts";
