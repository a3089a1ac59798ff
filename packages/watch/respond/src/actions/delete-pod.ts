import type { HandlerOf, Lack, Subject } from "../action.ts";
import { attempt } from "../attempt.ts";

/** Deletes the pod, by its uid. Its workload makes another one of the same image. */
export const deletePod: HandlerOf<"delete-pod"> = {
  plan: (_action, { pod }) => `delete the pod ${pod?.namespace ?? ""}/${pod?.name ?? ""}`,
  async lack({ container, means }) {
    if (!container.pod) return { text: "the container is of no pod", remedy: "Stop the container instead." };
    return lackOfCluster(means);
  },
  async act({ container: { pod }, means: { cluster } }) {
    if (!pod || !cluster) return { ok: false, ...noCluster };
    return attempt(async () => {
      await cluster.deletePod(pod);
      return { text: `the pod ${pod.namespace}/${pod.name} was deleted` };
    });
  },
};

export function lackOfCluster({ cluster }: Subject["means"]): Lack | undefined {
  return cluster ? undefined : noCluster;
}

const noCluster: Lack = {
  text: "this node is of no cluster, or its agent may not act there",
  remedy:
    "Set agent.response.kubernetes; in the chart agent.config.agent.response.kubernetes, which gives the rights, too.",
};
