import {
  nodeIdOf,
  nodeName,
  splitNodeId,
  type AgentRecord,
  type Alert,
  type ApiRequest,
  type Batch,
  type ImageReport,
  type NetworkEnd,
  type ToldRepeats,
} from "@bulwark/model";

/**
 * A batch with everything in it named as the control plane names the node, or undefined where some of it is another's: a
 * node speaks for itself only, so that whoever holds its certificate cannot write another's history. Ids begin with the
 * node, so that none can be taken before its owner comes with it. What an agent says of its node bears the name alone,
 * for it need not know which cluster it is of; the certificate does.
 */
export function ownBatch(batch: Batch, id: string): Batch | undefined {
  const { cluster, name } = splitNodeId(id);
  if (!nodeName.safeParse(name).success || batch.node !== name) return undefined;
  const records: AgentRecord[] = [];
  for (const record of batch.records) {
    const own = ownRecord(record, name, cluster);
    if (!own) return undefined;
    records.push(own);
  }
  return { ...batch, node: id, records };
}

function ownRecord(record: AgentRecord, name: string, cluster: string): AgentRecord | undefined {
  const node = nodeIdOf(cluster, name);
  const isOwn = (id: string): boolean => id.startsWith(`${name}/`);
  const named = (id: string): string => (isOwn(id) ? node + id.slice(name.length) : id);
  const ownEnd = (end: NetworkEnd): NetworkEnd => ({ ...end, workload: end.workload && { ...end.workload, node } });
  switch (record.type) {
    case "event": {
      const { event } = record;
      if (event.node !== name) return undefined;
      if (event.kind === "audit") {
        const { audit } = event;
        if (!event.id.startsWith(`${audit.cluster}/audit/`)) return undefined;
        const id = (cluster + event.id.slice(audit.cluster.length)).slice(0, 256);
        return { type: "event", event: { ...event, id, node, audit: { ...audit, cluster } } };
      }
      return isOwn(event.id) ? { type: "event", event: { ...event, id: named(event.id), node } } : undefined;
    }
    case "alert": {
      const { alert } = record;
      if (alert.node !== name) return undefined;
      if (alert.request) {
        const own = ownRequest(alert, alert.request, node, cluster);
        return own && { type: "alert", alert: own };
      }
      if (!isOwn(alert.id)) return undefined;
      return { type: "alert", alert: { ...alert, id: named(alert.id), node, events: alert.events.map(named) } };
    }
    case "repeats":
      return {
        ...record,
        repeats: record.repeats.flatMap((item) => {
          if (item.id !== undefined) return ownRequests(item, item.id, cluster);
          return isOwn(item.alert) ? [{ ...item, alert: named(item.alert) }] : [];
        }),
      };
    case "rule":
      return record.rule.node === name ? { type: "rule", rule: { ...record.rule, node } } : undefined;
    case "container": {
      const { container } = record;
      return container.node === name ? { type: "container", container: { ...container, node } } : undefined;
    }
    case "action": {
      const { action } = record;
      if (action.node !== name) return undefined;
      return { type: "action", action: { ...action, node, alert: action.alert === null ? null : named(action.alert) } };
    }
    case "containers":
      return record.node === name ? { ...record, node } : undefined;
    case "benchmark": {
      const { report } = record;
      const { kind, name: told } = report.subject;
      if (kind !== "host" || told !== name) return undefined;
      return { type: "benchmark", report: { ...report, subject: { kind, name: node } } };
    }
    case "flows": {
      const { report } = record;
      // Policies are learned from it: a node knows its own workloads, and no others.
      const isOwnEnd = ({ workload }: NetworkEnd): boolean => workload === null || workload.node === name;
      if (report.node !== name || !report.flows.every(({ client, server }) => isOwnEnd(client) && isOwnEnd(server))) {
        return undefined;
      }
      const flows = report.flows.map((flow) => ({ ...flow, client: ownEnd(flow.client), server: ownEnd(flow.server) }));
      return { type: "flows", report: { ...report, node, flows } };
    }
    case "health": {
      const { components } = record;
      if (!components.every((component) => component.node === name)) return undefined;
      return { type: "health", components: components.map((component) => ({ ...component, node })) };
    }
    case "scan": {
      const { scan } = record;
      if (scan.place !== name || scan.origin === "registry") return undefined;
      return { type: "scan", scan: { ...scan, key: ofNode(scan.key, name, node), place: node } };
    }
    case "image": {
      const key = imageKey(record.report, name, node);
      return key === undefined ? undefined : { type: "image", report: { ...record.report, key } };
    }
  }
}

/** As the event that it is about, it is of its node's cluster, whatever the agent calls that. */
function ownRequest(alert: Alert, request: ApiRequest, node: string, cluster: string): Alert | undefined {
  if (![alert.id, ...alert.events].every((id) => id.startsWith(`${request.cluster}/audit/`))) return undefined;
  const named = (id: string): string => cluster + id.slice(request.cluster.length);
  return { ...alert, id: named(alert.id), node, events: alert.events.map(named), request: { ...request, cluster } };
}

/** The same of requests that happened again: of the cluster that the agent calls them of, whatever that is. */
function ownRequests(told: ToldRepeats, id: string, cluster: string): ToldRepeats[] {
  const [calledBy = ""] = id.split("/", 1);
  const own = `${calledBy}/audit/`;
  if (![id, told.alert].every((each) => each.startsWith(own))) return [];
  const named = (each: string): string => cluster + each.slice(calledBy.length);
  return [{ ...told, id: named(id), alert: named(told.alert) }];
}

/** An image with a digest is the same everywhere, and its key says which it is; a bare root file system is its node's own. */
function imageKey({ key, digest }: ImageReport, name: string, node: string): string | undefined {
  if (digest !== null) return !key.startsWith("rootfs:") && key.endsWith(`@${digest}`) ? key : undefined;
  return key.startsWith(`rootfs:${name}:`) ? ofNode(key, name, node) : undefined;
}

/** The key as the control plane has it: that of a bare root file system bears the node. */
function ofNode(key: string, name: string, node: string): string {
  const own = `rootfs:${name}:`;
  return key.startsWith(own) ? `rootfs:${node}:${key.slice(own.length)}` : key;
}
