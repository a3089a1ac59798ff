export * from "./copy.ts";
export * from "./error.ts";
export * from "./open.ts";
export * from "./store.ts";
