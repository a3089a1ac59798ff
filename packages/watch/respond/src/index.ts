export type * from "./action.ts";
export * from "./responder.ts";
