export * from "./containerd.ts";
export { unmountBelow } from "./mounts.ts";
export * from "./nats.ts";
export * from "./needs.ts";
export * from "./postgresql.ts";
export * from "./process.ts";
export * from "./rootfs.ts";
export * from "./runc.ts";
export * from "./samples.ts";
