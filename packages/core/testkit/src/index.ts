export * from "./nats.ts";
export * from "./needs.ts";
export * from "./postgresql.ts";
export * from "./process.ts";
export * from "./samples.ts";
