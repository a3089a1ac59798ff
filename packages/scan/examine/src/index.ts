export { runApart, serveApart, type ApartOptions } from "./apart.ts";
export { LayerCache } from "./cache.ts";
export { examineWith, type ExamineOptions, type Progress } from "./examine.ts";
export { lookInto, type Seen } from "./look.ts";
export { examine, type AnalyzerName } from "./scan.ts";
