export * from "./authority.ts";
export * from "./error.ts";
export * from "./join-token.ts";
export * from "./request.ts";
export * from "./sealed.ts";
