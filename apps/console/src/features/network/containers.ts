import type { ListedEnd } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";

/** The containers that run of an end of a connection; asked for where `enabled`. */
export function useContainersOf({ cluster, key }: ListedEnd, enabled = true) {
  return useQuery({
    queryKey: ["network-containers", cluster, key],
    queryFn: async () => api.listNetworkContainers({ query: { cluster, key } }),
    enabled,
  });
}
