export type { Bus, Messages, Subject } from "./bus.ts";
export * from "./open.ts";
