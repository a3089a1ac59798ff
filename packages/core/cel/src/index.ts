/** Common Expression Language as Kubernetes speaks it: read, checked, compiled to closures, bounded in cost. */
export { compile, perCallLimit, type CompileOptions, type Limits, type Program } from "./compile.ts";
export {
  createEnvironment,
  define,
  extendEnvironment,
  type Environment,
  type EnvironmentOptions,
  type MessageType,
  type Overload,
} from "./environment.ts";
export { estimateCost, type EstimateOptions, type Range } from "./estimate.ts";
export { CelError, formatError, locate, type CelErrorCode } from "./errors.ts";
export { formatType, listType, mapType, objectType, optionalType, parseType, type Type } from "./types.ts";
export { Authorizer, type AccessAnswer, type AccessQuestion, type Ask, type Subject } from "./kubernetes/authorizer.ts";
export { kubernetesEnvironment } from "./kubernetes/index.ts";
export { parseQuantity } from "./kubernetes/quantity.ts";
export { allLibraries } from "./libraries/index.ts";
export { MessageValue, toJson, type Value } from "./values.ts";
