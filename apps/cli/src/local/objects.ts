import { connect, resources, type Resource } from "@bulwark/kube";
import { placeText, readFiles } from "@bulwark/manifests";
import type { KubeKind } from "@bulwark/model";
import { errorText } from "@bulwark/model/plain";
import { askServer, serverFlags } from "./ask-server.ts";
import { UsageError } from "./options.ts";
import { progress, printable } from "./text.ts";

export type Item = Readonly<Record<string, unknown>>;

/** Where a command's Kubernetes objects come from; for `parseArgs`. */
export const objectFlags = {
  cluster: { type: "boolean" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  told: { type: "string" },
  ...serverFlags,
} as const;

export const objectUsage = `  --cluster         read the objects from the cluster of the kubeconfig
  --kubeconfig FILE instead of $KUBECONFIG or ~/.kube/config
  --context NAME    instead of the current context
  --told NAME       what the collector of this cluster has told a Bulwark server
  --server URL      the server that it is told to
  --token-file FILE with an API token that may write; or $BULWARK_TOKEN
`;

interface Source {
  cluster?: boolean | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  told?: string | undefined;
  server?: string | undefined;
  "token-file"?: string | undefined;
}

/**
 * Kubernetes objects of files, of a cluster, or of what a collector has told. What could not be read is told on `stderr` and counted in `missed`: the
 * answer is one of the rest. Raises `UsageError` where there is nothing at all.
 */
export async function readObjects(
  files: readonly string[],
  source: Source,
  kinds: readonly Resource[],
  stderr: NodeJS.WritableStream,
): Promise<{ objects: Item[]; missed: number }> {
  const { cluster, kubeconfig, context, told } = source;
  const live = cluster === true || kubeconfig !== undefined || context !== undefined;
  if (!live && told === undefined && files.length === 0) {
    throw new UsageError("usage", "needs a FILE, --cluster or --told", { remedy: "name files of Kubernetes objects" });
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
  if (told !== undefined) missed += await readTold(told, source, kinds, read, stderr);
  if (read.length === 0) {
    throw new UsageError("usage", "no Kubernetes object could be read", { remedy: "see the lines above" });
  }
  return { objects: read, missed };
}

/** Adds the objects to `read`. How many are not known as a whole. */
async function readTold(
  cluster: string,
  source: Source,
  kinds: readonly Resource[],
  read: Item[],
  stderr: NodeJS.WritableStream,
): Promise<number> {
  const line = progress(stderr);
  let missed = 0;
  for (const { apiVersion, kind, plural } of kinds) {
    line.show(`reading ${plural}`);
    let all = 0;
    let unknown = 0;
    let cursor: string | undefined;
    do {
      const query = { kind: kind as KubeKind, cursor, limit: 100 };
      const page = await askServer(source, async (client) =>
        client.listWholeObjects({ params: { id: cluster }, query }),
      );
      all += page.items.length;
      for (const { object } of page.items) {
        if (object) read.push({ ...object, apiVersion, kind });
        else unknown++;
      }
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    missed += unknown;
    line.clear();
    if (unknown > 0) stderr.write(`${plural}: ${unknown} of ${all} were not told as whole objects\n`);
  }
  return missed;
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
