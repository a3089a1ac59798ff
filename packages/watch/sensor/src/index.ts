export * from "./activity-record.ts";
export * from "./availability.ts";
export * from "./build.ts";
export * from "./decode.ts";
export * from "./error.ts";
export type * from "./policy.ts";
export * from "./record.ts";
export * from "./sensor.ts";
export { argumentNames } from "./system-calls.ts";
