export { sensorEndedAlert } from "./blindness.ts";
export { toAncestor, toContainerRef, toProcess } from "./convert.ts";
export * from "./detector.ts";
export * from "./detectors/index.ts";
export { rulesDetector } from "./detectors/rules.ts";
export { ownProcesses } from "./own.ts";
export * from "./pipeline.ts";
export { ProcessTable, type Entry } from "./process-table.ts";
export { needsOf, tracingPrice, type Needs } from "./served.ts";
