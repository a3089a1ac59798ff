export { startAgent, type AgentOptions, type RunningAgent } from "./agent.ts";
