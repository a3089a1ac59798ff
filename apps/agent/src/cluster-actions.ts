import { resources, type Kube } from "@bulwark/kube";
import { BulwarkError } from "@bulwark/model";
import type { ClusterActions } from "@bulwark/respond";

/** What is done to this node and its pods through the API server. */
export function clusterActions(open: () => Kube, node: string): ClusterActions {
  return {
    async deletePod({ namespace, name, uid }) {
      using kube = open();
      if (await kube.delete(resources.pods, name, { namespace, uid })) return;
      throw new BulwarkError("gone", `the pod ${namespace}/${name} is not there any more`, {
        remedy: "Nothing is to be done.",
      });
    },
    async cordon(isOn) {
      using kube = open();
      const { spec } = (await kube.get(resources.nodes, node)) as { spec?: { unschedulable?: boolean } };
      if ((spec?.unschedulable ?? false) === isOn) return false;
      await kube.patch(resources.nodes, node, { spec: { unschedulable: isOn ? true : null } });
      return true;
    },
  };
}
