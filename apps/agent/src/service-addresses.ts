import type { ServiceAddress } from "@bulwark/enforce";
import type { KubeResource } from "@bulwark/kube";
import { protocols } from "@bulwark/netpol";

// Lists without items are `null` in what an API server sends of these kinds.
interface Service {
  clusterIPs?: string[] | null;
  clusterIP?: string;
  ports?: { name?: string; port: number; protocol?: string }[] | null;
}
interface Slice extends KubeResource {
  endpoints?:
    | {
        addresses?: string[] | null;
        conditions?: { ready?: boolean | null } | null;
      }[]
    | null;
  ports?: { name?: string | null; port?: number | null; protocol?: string | null }[] | null;
}

/** Where the addresses of Services lead to, by their endpoint slices. A Service that nobody answers leads nowhere. */
export function servicesOf(services: readonly KubeResource[], slices: readonly KubeResource[]): ServiceAddress[] {
  const byService = Map.groupBy(
    slices as readonly Slice[],
    ({ metadata }) => `${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"]}`,
  );
  return services.flatMap(({ metadata, spec }) => {
    const { clusterIPs, clusterIP, ports } = (spec ?? {}) as Service;
    const addresses = (clusterIPs ?? [clusterIP ?? ""]).filter((ip) => ip !== "" && ip !== "None");
    const own = byService.get(`${metadata.namespace}/${metadata.name}`) ?? [];
    const targets = (ports ?? []).map(({ name, port, protocol = "TCP" }) => ({
      port,
      protocol: protocols.find((known) => known === protocol) ?? ("TCP" as const),
      targets: own.flatMap((slice) => targetsOf(slice, name ?? "")),
    }));
    return addresses.map((ip) => ({ ip, ports: targets }));
  });
}

function targetsOf({ endpoints, ports }: Slice, portName: string): { end: string; port: number }[] {
  const port = ports?.find(({ name }) => (name ?? "") === portName)?.port;
  if (port === undefined || port === null) return [];
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses }) => (addresses ?? []).map((end) => ({ end, port })));
}
