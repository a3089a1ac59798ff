export { hostNetwork } from "./network-of.ts";
export { createTraffic, type Owner, type Traffic, type TrafficCounters } from "./traffic.ts";
export { workloadOf } from "./workload.ts";
