/** Service accounts with the rights that the chart gives, or with some of them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readKubeconfig, resources, type Kube, type Resource } from "@bulwark/kube";
import { readTexts } from "@bulwark/manifests";
import { template } from "../../deploy/helm/render.ts";
import type { Cluster } from "../cluster/cluster.ts";

/** Where the chart is rendered to. */
export const namespace = "bulwark";

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** Rules in the whole cluster, and in the chart's own namespace. */
export interface Rights {
  cluster: Rule[];
  own: Rule[];
}

/** What the chart, with these values, gives to one of its parts. */
export async function chartRights(
  who: "admission" | "agent" | "collector" | "server",
  ...values: string[]
): Promise<Rights> {
  const { objects } = readTexts([{ name: "chart", text: await template(...values) }]);
  const rules = (kind: string): Rule[] =>
    objects
      .map(({ object }) => object as unknown as { kind: string; metadata: { name: string }; rules: Rule[] })
      .filter((object) => object.kind === kind && object.metadata.name === `bulwark-${who}`)
      .flatMap((object) => object.rules);
  return { cluster: rules("ClusterRole"), own: rules("Role") };
}

export interface Lack {
  verb: string;
  resources: string[];
  /** All that the chart gives but this verb of one rule. */
  rights: Rights;
}

/** Every verb of every rule, taken away by itself. */
export function lacks(all: Rights): Lack[] {
  return (["cluster", "own"] as const).flatMap((scope) =>
    all[scope].flatMap((rule, index) =>
      rule.verbs.map((verb) => {
        const less = { ...rule, verbs: rule.verbs.filter((it) => it !== verb) };
        const rules = all[scope].with(index, less).filter(({ verbs }) => verbs.length > 0);
        return { verb, resources: rule.resources, rights: { ...all, [scope]: rules } };
      }),
    ),
  );
}

/** A rule about one of these resources. */
export const isOf =
  (...wanted: string[]) =>
  ({ resources: own }: { resources: string[] }) =>
    own.some((it) => wanted.includes(it));
/** As an API server says it. */
export const refused = (verb: string, resource: string): string => `cannot ${verb} resource "${resource}"`;

/** A service account with these rights, and the path of a kubeconfig by which one is it. */
export async function createAccount(
  cluster: Cluster,
  kube: Kube,
  name: string,
  { cluster: everywhere, own }: Rights,
): Promise<string> {
  const roles = { apiGroup: "rbac.authorization.k8s.io" };
  const metadata = { name, namespace };
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  type Named = { metadata: { name: string; namespace?: string }; [field: string]: unknown };
  const put = async (resource: Resource, object: Named): Promise<unknown> =>
    kube.apply(resource, object, { fieldManager: "test" });
  await put(resources.serviceAccounts, { metadata });
  await Promise.all([
    put(resources.clusterRoles, { metadata: { name }, rules: everywhere }),
    put(resources.roles, { metadata, rules: own }),
    put(resources.clusterRoleBindings, {
      metadata: { name },
      subjects,
      roleRef: { ...roles, kind: "ClusterRole", name },
    }),
    put(resources.roleBindings, { metadata, subjects, roleRef: { ...roles, kind: "Role", name } }),
  ]);
  return writeAccount(cluster, name, await tokenOf(kube, name, {}));
}

/** A token of a service account: with an audience, of a pod. */
export async function tokenOf(kube: Kube, account: string, spec: object): Promise<string> {
  const { status } = (await kube.transport.json({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
    what: `ask for a token of ${account}`,
  })) as { status: { token: string } };
  return status.token;
}

function writeAccount({ folder, server, kubeconfig }: Cluster, name: string, token: string): string {
  const { ca = "" } = readKubeconfig({ path: kubeconfig });
  return writeUser(join(folder, `${name}.kubeconfig`), server, ca, { token });
}

/** A kubeconfig of one user. */
export function writeUser(path: string, server: string, ca: string, user: object): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name: "test", user }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
