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
export { CelError, formatError, locate, type CelErrorCode } from "./errors.ts";
export { formatType, listType, mapType, objectType, optionalType, parseType, type Type } from "./types.ts";
export { toJson, type Value } from "./values.ts";
