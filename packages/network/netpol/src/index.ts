export { toCidrs } from "./address.ts";
export type { Cluster, ClusterNode, Namespace, Pod } from "./cluster.ts";
export { limits, NetpolError, problemText, type NetpolErrorCode, type Problem } from "./error.ts";
export {
  createEvaluator,
  type ConnectionQuery,
  type ConnectionVerdict,
  type Evaluator,
  type EvaluatorOptions,
} from "./evaluator.ts";
export { policyName, type Direction, type PolicyRef, type Tier } from "./policy.ts";
export { protocols, type ContainerPort, type Protocol } from "./ports.ts";
export type { Decision } from "./tables.ts";
export {
  connections,
  connectivity,
  portSetText,
  sides,
  type Connection,
  type Connectivity,
  type EndClass,
  type EndGroup,
  type PortRange,
  type PortSet,
} from "./connectivity.ts";
export { diff, type Difference } from "./diff.ts";
export { loadFiles, loadObjects, loadTexts, type Loaded } from "./load.ts";
export {
  decisionText,
  explain,
  type Change,
  type Explanation,
  type RuleOutcome,
  type SideExplanation,
} from "./explain.ts";
export { lint, type Finding, type FindingCode } from "./lint.ts";
export { runTruthTables, type ConformanceResult } from "./conformance.ts";
