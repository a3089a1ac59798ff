export { createAggregate, endKey, type Aggregate, type Edge, type Grain } from "./aggregate.ts";
export { createDirectory, type Directory } from "./directory.ts";
export {
  endText,
  flowOf,
  type DnsQuestion,
  type End,
  type Flow,
  type FlowProtocol,
  type FlowResult,
  type Tls,
  type Workload,
} from "./flow.ts";
export { ownerName } from "./owner.ts";
export { readFlows, readSources, type BrokenLine, type ReadSummary } from "./read.ts";
