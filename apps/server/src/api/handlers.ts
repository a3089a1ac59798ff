import type { Handlers } from "../http/register.ts";
import { actionHandlers } from "./actions.ts";
import { admissionHandlers } from "./admission.ts";
import { agentHandlers } from "./agent.ts";
import { agentsHandlers, identityHandlers } from "./agents.ts";
import { alertHandlers } from "./alerts.ts";
import { assetHandlers } from "./assets.ts";
import { benchmarkHandlers } from "./benchmarks.ts";
import { eventHandlers } from "./events.ts";
import { findingHandlers } from "./findings.ts";
import { kubernetesHandlers } from "./kubernetes.ts";
import { networkHandlers } from "./network.ts";
import { operationHandlers } from "./operations.ts";
import { overviewHandlers } from "./overview.ts";
import { registryHandlers } from "./registries.ts";
import { scanHandlers } from "./scans.ts";
import { sessionHandlers } from "./session.ts";

/** Every handler of the API, by the name of its route. */
export const handlers: Handlers = {
  ...sessionHandlers,
  ...overviewHandlers,
  ...assetHandlers,
  ...alertHandlers,
  ...actionHandlers,
  ...benchmarkHandlers,
  ...eventHandlers,
  ...findingHandlers,
  ...scanHandlers,
  ...registryHandlers,
  ...kubernetesHandlers,
  ...admissionHandlers,
  ...networkHandlers,
  ...operationHandlers,
  ...agentHandlers,
  ...agentsHandlers,
  ...identityHandlers,
};
