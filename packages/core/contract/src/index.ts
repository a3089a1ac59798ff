export * from "./client.ts";
export type { LearnedPolicies, NetworkCluster, NetworkDenial, ReplayedPolicies } from "./network.ts";
export * from "./openapi.ts";
export type { ImageVerdict, PolicyRow } from "./policies.ts";
export type { RegistryHook } from "./registries.ts";
export * from "./route.ts";
export * from "./routes.ts";
