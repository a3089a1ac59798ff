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

/** Five pods as people write them, on both nodes: an init container, volumes, probes of every kind. */
export function ordinary(): object {
  const name = "site";
  const probe = { periodSeconds: 1 };
  const volumes = [
    { name: "cache", emptyDir: { medium: "Memory" } },
    { name: "config", configMap: { name: "kube-root-ca.crt" } },
  ];
  const volumeMounts = [
    { name: "cache", mountPath: "/cache" },
    { name: "config", mountPath: "/etc/site" },
  ];
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace: "shop" } },
    spec: {
      replicas: 5,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          topologySpreadConstraints: [
            {
              ...{ maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule" },
              labelSelector: { matchLabels: { app: name } },
            },
          ],
          initContainers: [
            { name: "fill", image: busyboxImage, command: ["sh", "-c", "echo page >/cache/index.html"], volumeMounts },
          ],
          containers: [
            {
              ...{ name: "web", image: busyboxImage, volumeMounts },
              command: ["busybox", "httpd", "-f", "-p", "8080", "-h", "/cache"],
              startupProbe: { ...probe, tcpSocket: { port: 8080 } },
              readinessProbe: { ...probe, httpGet: { port: 8080, path: "/index.html" } },
              livenessProbe: { ...probe, exec: { command: ["sh", "-c", "test -s /cache/index.html"] } },
            },
          ],
          volumes,
        },
      },
    },
  };
}

/** A pod that may do all to its node, as people start one to look for a fault. */
export function powerful(node: string): object {
  const [, deployment] = shop(node, "debug") as [object, { spec: { template: { spec: { containers: object[] } } } }];
  const { containers } = deployment.spec.template.spec;
  for (const container of containers) Object.assign(container, { securityContext: { privileged: true } });
  return deployment;
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

/** Two namespaces for benchmarks: in `safe` all is as it should be, in `loose` nothing is. Their pods are never placed. */
export function postures(): object[] {
  const never = { nodeSelector: { "example.com/none": "here" } };
  const main = { name: "main", image: busyboxImage };
  const tight = {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [{ ...main, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } }],
  };
  const open = {
    ...{ hostPID: true, hostIPC: true, hostNetwork: true },
    volumes: [{ name: "root", hostPath: { path: "/" } }],
    containers: [
      {
        ...main,
        securityContext: { privileged: true },
        ports: [{ containerPort: 80, hostPort: 80 }],
        env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password", optional: true } } }],
      },
    ],
  };
  const pod = (namespace: string, name: string, spec: object): object => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace } },
    spec: { ...never, ...spec },
  });
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
  const role = (name: string, rule: object): object => ({
    ...{ ...rbac, kind: "ClusterRole", metadata: { name } },
    rules: [rule],
  });
  const bind = (name: string, user: string, to = name): object => ({
    ...{ ...rbac, kind: "ClusterRoleBinding", metadata: { name } },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: to },
  });
  return [
    {
      ...{ apiVersion: "v1", kind: "Namespace" },
      metadata: { name: "safe", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "loose" } },
    {
      ...{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "safe" } },
      automountServiceAccountToken: false,
    },
    {
      ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "none", namespace: "safe" } },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    },
    pod("safe", "good", tight),
    pod("loose", "bad", open),
    role("reads-secrets", { apiGroups: [""], resources: ["secrets"], verbs: ["list"] }),
    role("deploys", { apiGroups: ["apps"], resources: ["deployments"], verbs: ["create"] }),
    bind("reads-secrets", "eve"),
    bind("deploys", "dave"),
    bind("everything", "mallory", "cluster-admin"),
  ];
}
