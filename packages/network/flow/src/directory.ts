import type { End, Flow, Workload } from "./flow.ts";

const mostAddresses = 262_144;
const mostOwners = 32;
const mostNames = 262_144;

interface Owner {
  readonly since: number;
  readonly workload: Workload;
}

/**
 * Who had an address when, and by which name it was asked for. Bounded: what is not known stays an address.
 */
export interface Directory {
  /**
   * The workload has these addresses from then on (ms since the epoch; 0 when that is not known), until the next has
   * them.
   */
  know(workload: Workload, ips: readonly string[], since: number): void;
  /** The flow with workloads and names for its addresses; what the source said itself is kept. */
  resolve(flow: Flow): Flow;
}

export function createDirectory(): Directory {
  const owners = new Map<string, Owner[]>();
  const workloads = new Map<string, Workload>();
  /** `client address` → name, of the answers that this client had; the client sees its own answers only. */
  const names = new Map<string, string>();

  function ownerAt(ip: string, time: number): Workload | undefined {
    return owners.get(ip)?.findLast(({ since }) => since <= time)?.workload;
  }
  function resolveEnd(end: End, asker: string | null, time: number): End {
    const { ip } = end;
    if (end.workload) return described(end, end.workload);
    if (ip === null) return end;
    const workload = ownerAt(ip, time) ?? null;
    const name = workload || end.name !== null ? end.name : (names.get(`${asker ?? ""} ${ip}`) ?? null);
    return workload || name !== end.name ? { ip, workload, name } : end;
  }

  /** Some sources know names and no labels. */
  function described(end: End, workload: Workload): End {
    if (Object.keys(workload.labels).length > 0) return end;
    const { namespace, pod, name } = workload;
    const known = workloads.get(`${namespace}/${pod ?? ""}`) ?? workloads.get(`${namespace}/${name ?? ""}`);
    return known ? { ...end, workload: { ...known, ...workload, labels: known.labels } } : end;
  }
  function own(ip: string, owner: Owner): void {
    const list = owners.get(ip) ?? [];
    if (list.length === 0 && owners.size >= mostAddresses) return;
    list.push(owner);
    list.sort((a, b) => a.since - b.since);
    if (list.length > mostOwners) list.shift();
    owners.set(ip, list);
  }

  return {
    know(workload, ips, since) {
      for (const ip of ips) own(ip, { since, workload });
      const { namespace, pod, name } = workload;
      for (const word of [pod, name]) {
        if (word !== null && workloads.size < mostAddresses) workloads.set(`${namespace}/${word}`, workload);
      }
    },
    resolve(flow) {
      const asker = flow.client.ip;
      if (flow.dns) {
        for (const address of flow.dns.addresses) remember(names, `${asker ?? ""} ${address}`, flow.dns.name);
      }
      const client = resolveEnd(flow.client, null, flow.first);
      const server = resolveEnd(flow.server, asker, flow.first);
      // Told by the client itself in the handshake.
      const told = server.workload || server.name !== null ? null : (flow.tls?.serverName ?? null);
      const named = told === null ? server : { ...server, name: told };
      return client === flow.client && named === flow.server ? flow : { ...flow, client, server: named };
    },
  };
}

function remember(names: Map<string, string>, key: string, name: string): void {
  names.delete(key);
  names.set(key, name);
  if (names.size <= mostNames) return;
  const [oldest] = names.keys();
  if (oldest !== undefined) names.delete(oldest);
}
