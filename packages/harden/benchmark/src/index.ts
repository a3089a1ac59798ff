/** How hosts and clusters are set up: facts, collected once; benchmarks over them; a plan to mend what fails. */
export { catalogueOf, type Catalogue, type CheckInfo, type SetInfo } from "./catalogue.ts";
export { collectCluster } from "./cluster.ts";
export { collectHost, type CollectOptions } from "./collect.ts";
export { withVersions } from "./host-versions.ts";
export { chosen, evaluateBenchmark, needsOf, type Choice } from "./evaluate.ts";
export { loadLibrary } from "./load.ts";
export { loadPeer } from "./peer.ts";
export { summarize, type Item, type SetSummary } from "./summary.ts";
export { clausesOf, exportFormats, exportRows, exportText, type ExportFormat, type ExportRow } from "./export.ts";
export { applyPlan, listBackups, makePlan, undoPlan, type Change, type Plan } from "./plan.ts";
export { checksReference } from "./reference.ts";
