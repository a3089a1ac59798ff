import type { Config } from "@bulwark/config";
import { connect, KubeError, resources, reviewToken, type Kube } from "@bulwark/kube";

/** Pods of one service account, which join by its token. */
export interface ServiceAccounts {
  /** The node that the pod of this token runs on; undefined where the token is nobody's, or of another account. */
  nodeOf(token: string): Promise<string | undefined>;
  /** Writes where they find it who this control plane is. */
  publish(fingerprint: string): Promise<void>;
  close(): void;
}

/** Tokens are asked for with this audience, so that one that was stolen here is good for nothing else. */
const audience = "bulwark";
const nodeKey = "authentication.kubernetes.io/node-name";

export function createServiceAccounts(
  { name, configMap }: NonNullable<NonNullable<Config["server"]["agents"]>["serviceAccount"]>,
  kube: Kube = connect(),
): ServiceAccounts {
  const [namespace = "", mapName = ""] = configMap.split("/");
  const user = `system:serviceaccount:${name.replace("/", ":")}`;
  return {
    async nodeOf(token) {
      const identity = await reviewToken(kube, token, [audience]);
      return identity?.user === user ? identity.extra[nodeKey]?.[0] : undefined;
    },
    async publish(fingerprint) {
      const data = { fingerprint };
      try {
        await kube.patch(resources.configMaps, mapName, { data }, { namespace });
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== "not-found") throw error;
        await kube.create(resources.configMaps, { metadata: { name: mapName, namespace }, data });
      }
    },
    close: () => kube.close(),
  };
}
