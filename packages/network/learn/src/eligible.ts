import type { Edge, End } from "@bulwark/flow";
import type { Protocol } from "@bulwark/netpol";

/** Why an edge is neither learned nor replayed. */
export type Unfit =
  | "attempts only: nothing was connected"
  | "protocol without ports"
  | "neither end is a pod"
  | "an end without address"
  | "a name that Kubernetes would not take";

/** Why policies can say nothing of an edge; undefined where they can. */
export function unfit({
  client,
  server,
  port,
  protocol,
}: Pick<Edge, "client" | "server" | "port" | "protocol">): Unfit | undefined {
  if (portProtocol(protocol) === undefined || port < 1) return "protocol without ports";
  if (!client.workload && !server.workload) return "neither end is a pod";
  if (!placed(client) || !placed(server)) return "an end without address";
  if (!wellNamed(client) || !wellNamed(server)) return "a name that Kubernetes would not take";
  return undefined;
}

/** Whether anything was, or may have been, connected. A scan's attempts must not become rules. */
export function carried({ results }: Edge): boolean {
  return results.established + results.unknown > 0;
}

export function portProtocol(protocol: string): Protocol | undefined {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP" ? protocol : undefined;
}

function placed({ workload, ip }: End): boolean {
  return workload ? workload.name !== null || workload.pod !== null : ip !== null;
}

/** By workload: one is an end of many edges. */
const named = new WeakMap<NonNullable<End["workload"]>, boolean>();

function wellNamed({ workload }: End): boolean {
  if (!workload) return true;
  const known = named.get(workload) ?? hasNames(workload);
  named.set(workload, known);
  return known;
}

/** RFC 1123, as the API server checks names; a label value may hold more, but never a line break. */
function hasNames(workload: NonNullable<End["workload"]>): boolean {
  const { namespace, name, pod, labels } = workload;
  return (
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace) &&
    [name, pod].every(
      (text) => text === null || (text.length <= 253 && /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(text)),
    ) &&
    Object.entries(labels).every(([key, value]) => labelKey.test(key) && labelValue.test(value))
  );
}

const labelKey = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
