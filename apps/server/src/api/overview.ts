import type { Component } from "@bulwark/model";
import { alone } from "../health/board.ts";
import type { HandlersOf } from "../http/register.ts";

const mostFailing = 10_000;

export const overviewHandlers: HandlersOf<"overview"> = {
  async getOverview({ now }, { store, health }) {
    const [
      containers,
      images,
      openAlerts,
      findings,
      failedChecks,
      tallies,
      alertsByHour,
      latest,
      worstImages,
      components,
    ] = await Promise.all([
      store.containers.count(),
      store.images.count(),
      store.alerts.countOpen(),
      store.findings.countOpen(),
      store.benchmarks.failing(mostFailing, now),
      store.runningPolicies.tallies(),
      store.alerts.countByHour(24, now),
      store.alerts.list({}, { limit: 5 }),
      store.images.worst(5),
      health.list(now),
    ]);
    return {
      containers: { running: containers.running, privileged: containers.privileged },
      // An agent tells how it is from the start, a node without containers too.
      nodes: Math.max(containers.nodes, nodesOf(components).size),
      images,
      openAlerts,
      openFindings: findings.bySeverity,
      exploitedFindings: findings.exploited,
      failedChecks,
      wouldBeDenied: [...tallies.values()].reduce((sum, { denied }) => sum + denied, 0),
      alertsByHour,
      latestAlerts: latest.items,
      worstImages,
      troubles: components.filter((component) => component.state !== "ok"),
    };
  },
};

/** Nodes whose agents have told how they are. */
function nodesOf(components: readonly Component[]): Set<string> {
  const nodes = components.map(({ node }) => node);
  return new Set(nodes.filter((node) => node !== alone && !node.startsWith(`${alone}/`)));
}
