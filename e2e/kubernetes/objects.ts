import { busyboxImage } from "../cluster/cluster.ts";

/** A namespace and a deployment in it that does nothing, as something to attack. */
export function shop(node: string, name = "checkout"): object[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace: "shop" },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name, team: "blue" } },
          spec: {
            nodeSelector: { "kubernetes.io/hostname": node },
            terminationGracePeriodSeconds: 0,
            containers: [{ name: "web", image: busyboxImage, command: ["sleep", "36000"] }],
          },
        },
      },
    },
  ];
}

/** A pod that runs one command and ends with it. */
export function brief(name: string, labels: Record<string, string>, command: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop", labels },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image: busyboxImage, command: ["sh", "-c", command] }],
    },
  };
}
