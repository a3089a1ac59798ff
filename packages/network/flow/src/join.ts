import type { End, Flow, FlowResult, Tls } from "./flow.ts";

/** Flows that wait for what else is said of them. */
const mostWaiting = 65_536;
/** A port of a client is used again after some time: what is further apart is another connection. */
const farApart = 5 * 60_000;

export interface Joiner {
  add(flow: Flow): void;
  /** Gives out all that wait. */
  end(): void;
}

/**
 * Makes one flow of all that is said of a connection, by several events or several sources, with the same community
 * id. Its counts are the largest that anybody gave, not the sum: two who saw it saw the same bytes. Questions to name
 * servers stay alone, for one connection asks many.
 */
export function createJoiner(emit: (flow: Flow) => void): Joiner {
  const waiting = new Map<string, Flow>();
  return {
    add(flow) {
      if (flow.communityId === null || flow.dns !== null) {
        emit(flow);
        return;
      }
      const key = flow.communityId;
      const before = waiting.get(key);
      if (before && flow.first - before.last <= farApart && before.first - flow.last <= farApart) {
        waiting.set(key, merge(before, flow));
        return;
      }
      if (before) {
        waiting.delete(key);
        emit(before);
      }
      waiting.set(key, flow);
      if (waiting.size <= mostWaiting) return;
      const [oldest] = waiting;
      if (!oldest) return;
      waiting.delete(oldest[0]);
      emit(oldest[1]);
    },
    end() {
      for (const flow of waiting.values()) emit(flow);
      waiting.clear();
    },
  };
}

function merge(a: Flow, b: Flow): Flow {
  // Whoever saw less may have taken the answer for the opening.
  const turned = a.clientPort === b.port && a.port === b.clientPort && a.port !== b.port;
  const [client, server] = turned ? [b.server, b.client] : [b.client, b.server];
  return {
    ...a,
    client: mergeEnd(a.client, client),
    server: mergeEnd(a.server, server),
    process: a.process ?? b.process,
    result: strongest(a.result, b.result),
    deniedBy: a.deniedBy ?? b.deniedBy,
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    connections: Math.max(a.connections, b.connections),
    bytesOut: Math.max(a.bytesOut, turned ? b.bytesIn : b.bytesOut),
    bytesIn: Math.max(a.bytesIn, turned ? b.bytesOut : b.bytesIn),
    packetsOut: Math.max(a.packetsOut, turned ? b.packetsIn : b.packetsOut),
    packetsIn: Math.max(a.packetsIn, turned ? b.packetsOut : b.packetsIn),
    tls: mergeTls(a.tls, b.tls),
    clear: a.clear ?? b.clear,
    credential: a.credential || b.credential,
  };
}

function mergeEnd(a: End, b: End): End {
  return { workload: a.workload ?? b.workload, ip: a.ip ?? b.ip, name: a.name ?? b.name };
}

function mergeTls(a: Tls | null, b: Tls | null): Tls | null {
  if (!a || !b) return a ?? b;
  return { version: a.version ?? b.version, serverName: a.serverName ?? b.serverName };
}

/** A denial on the way is the outcome, whoever saw packets before it. */
const strength: readonly FlowResult[] = ["unknown", "timed-out", "refused", "established", "denied"];

function strongest(a: FlowResult, b: FlowResult): FlowResult {
  return strength.indexOf(a) >= strength.indexOf(b) ? a : b;
}
