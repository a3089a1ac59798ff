/** How hosts and clusters are set up: facts, collected once; benchmarks over them; a plan to mend what fails. */
export { collectCluster } from "./cluster.ts";
export { collectHost, type CollectOptions } from "./collect.ts";
export { chosen, evaluateBenchmark, needsOf, type Choice } from "./evaluate.ts";
export { loadLibrary, type BenchmarkCheck, type BenchmarkSet, type Library } from "./load.ts";
export { RootError } from "./root.ts";
export { summarize, type Item, type SetSummary } from "./summary.ts";
