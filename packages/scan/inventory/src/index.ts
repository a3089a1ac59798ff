export * from "./catalog.ts";
export { purl } from "./purl.ts";
