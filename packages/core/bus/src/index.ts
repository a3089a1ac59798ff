export type { Bus, BusStats, Messages, Subject, WorkSubject } from "./bus.ts";
export * from "./error.ts";
export * from "./open.ts";
