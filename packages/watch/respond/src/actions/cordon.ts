import type { HandlerOf } from "../action.ts";
import { attempt } from "../attempt.ts";
import { lackOfCluster } from "./delete-pod.ts";

/** No further pod is placed on the container's node. Those that are there run on. */
export const cordon: HandlerOf<"cordon"> = {
  plan: (_action, container) => `keep new pods from the node ${container.node}`,
  async lack({ means }) {
    return lackOfCluster(means);
  },
  async act({ container, means }) {
    const { cluster } = means;
    const lack = lackOfCluster(means);
    if (lack || !cluster) return { ok: false, text: "", remedy: "", ...lack };
    return attempt(async () => {
      // One that somebody else cordoned is not ours to open again.
      if (!(await cluster.cordon(true))) return { text: `the node ${container.node} was cordoned already` };
      return {
        text: `no further pod is placed on the node ${container.node}`,
        async undo() {
          await cluster.cordon(false);
          return `pods are placed on the node ${container.node} again`;
        },
      };
    });
  },
};
