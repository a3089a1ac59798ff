export { LayerCache } from "./cache.ts";
export { examineWith, type ExamineOptions, type Progress } from "./examine.ts";
export { examine, type AnalyzerName } from "./scan.ts";
