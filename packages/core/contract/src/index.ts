export * from "./client.ts";
export * from "./openapi.ts";
export * from "./route.ts";
export * from "./routes.ts";
