/** Who can do what in a cluster, and the ways to its control. */
export { subjectText, type Grant, type Request } from "./access.ts";
export { dangers, type Danger } from "./dangers.ts";
export { RbacError } from "./error.ts";
export { createGraph, type Graph, type Permission } from "./graph.ts";
export { parseState } from "./name.ts";
export type { Binding, Role, Rule, Subject } from "./objects.ts";
export type { Goal, Path } from "./paths.ts";
export { propose, unused, type Proposal, type Unused } from "./propose.ts";
export { stateText, type State, type Step } from "./state.ts";
export { techniques } from "./techniques/index.ts";
