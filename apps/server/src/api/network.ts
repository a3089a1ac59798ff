import { Refusal } from "../http/problem.ts";
import type { HandlersOf } from "../http/register.ts";

async function notYet(): Promise<never> {
  throw new Refusal("unavailable", "this server does not keep flows");
}

export const networkHandlers: HandlersOf<"network"> = {
  listNetworkEdges: notYet,
  listNetworkFlows: notYet,
  listNetworkContainers: notYet,
  learnNetworkPolicies: notYet,
  replayNetworkPolicies: notYet,
  listNetworkPolicies: notYet,
  listNetworkPolicyDocuments: notYet,
  getNetworkPolicyDocument: notYet,
  publishNetworkPolicies: notYet,
  confirmNetworkPolicies: notYet,
  undoNetworkPolicies: notYet,
};
