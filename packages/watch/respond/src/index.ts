export * from "./action.ts";
export * from "./responder.ts";
