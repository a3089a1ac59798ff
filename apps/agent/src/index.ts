export { startAgent, type AgentOptions, type RunningAgent } from "./agent.ts";
export { startCollector, type CollectorOptions } from "./collector.ts";
