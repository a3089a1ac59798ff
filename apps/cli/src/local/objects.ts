import { connect, resources, type Resource } from "@bulwark/kube";
import { placeText, readFiles } from "@bulwark/manifests";
import { errorText } from "@bulwark/model/plain";
import { UsageError } from "./options.ts";
import { progress, printable } from "./text.ts";

export type Item = Readonly<Record<string, unknown>>;

/** Where a command's Kubernetes objects come from; for `parseArgs`. */
export const objectFlags = {
  cluster: { type: "boolean" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
} as const;

export const objectUsage = `  --cluster         read the objects from the cluster of the kubeconfig
  --kubeconfig FILE instead of $KUBECONFIG or ~/.kube/config
  --context NAME    instead of the current context
`;

interface Source {
  cluster?: boolean | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
}

/**
 * Kubernetes objects of files, or of a cluster. What could not be read is told on `stderr` and counted in `missed`: the
 * answer is one of the rest. Raises `UsageError` where there is nothing at all.
 */
export async function readObjects(
  files: readonly string[],
  { cluster, kubeconfig, context }: Source,
  kinds: readonly Resource[],
  stderr: NodeJS.WritableStream,
): Promise<{ objects: Item[]; missed: number }> {
  const live = cluster === true || kubeconfig !== undefined || context !== undefined;
  if (!live && files.length === 0) {
    throw new UsageError("usage", "needs a FILE or --cluster", { remedy: "name files of Kubernetes objects" });
  }
  const { objects, problems, others } = readFiles(files);
  for (const problem of [...problems, ...others]) {
    stderr.write(`${printable(placeText(problem))}: ${printable(problem.reason)}: ${problem.remedy}\n`);
  }
  const read: Item[] = objects.map(({ object }) => object);
  let missed = problems.length;
  if (live) {
    const line = progress(stderr);
    using kube = connect({
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    });
    for (const resource of kinds) {
      line.show(`reading ${resource.plural}`);
      try {
        for await (const { items } of kube.pages(resource)) {
          for (const item of items) read.push({ ...item, apiVersion: resource.apiVersion, kind: resource.kind });
        }
      } catch (error) {
        missed++;
        line.clear();
        stderr.write(`${resource.plural}: ${printable(errorText(error))}\n`);
      }
    }
    line.clear();
  }
  if (read.length === 0) {
    throw new UsageError("usage", "no Kubernetes object could be read", { remedy: "see the lines above" });
  }
  return { objects: read, missed };
}

export const rbacKinds: readonly Resource[] = [
  resources.clusterRoles,
  resources.clusterRoleBindings,
  resources.roles,
  resources.roleBindings,
  resources.serviceAccounts,
  resources.namespaces,
  resources.nodes,
  resources.pods,
];
