export { parseBadList, type BadList } from "./bad-list.ts";
export type { Context, Detector, Need, Sight } from "./detector.ts";
export { detectors } from "./detectors/index.ts";
export { createProfile, type Profile } from "./profile.ts";
export { createRun, type Anomaly, type Run } from "./run.ts";
