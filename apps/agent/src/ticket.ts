import { readFile } from "node:fs/promises";
import type { Config } from "@bulwark/config";
import { parseJoinToken } from "@bulwark/identity";
import { connect, KubeError, resources, type Kube } from "@bulwark/kube";
import { JoinError, type Ticket } from "./identity.ts";

/** What this node joins with: in Kubernetes its pod's own token, elsewhere what `bulwark join` made. */
export function ticketFrom(
  { serviceAccount }: Config["agent"],
  joinToken: () => Promise<string | undefined>,
): () => Promise<Ticket | undefined> {
  if (serviceAccount) return () => accountTicket(serviceAccount);
  return async () => {
    const text = await joinToken();
    return text === undefined ? undefined : { text, ...parseJoinToken(text) };
  };
}

/**
 * The token is renewed by the kubelet; it is the same ticket as long as the control plane is the same. Where a new one
 * has taken the place of the old, the node joins that. Raises `JoinError` while it is not known who the server is.
 */
async function accountTicket({
  tokenFile,
  configMap,
}: NonNullable<Config["agent"]["serviceAccount"]>): Promise<Ticket> {
  const fingerprint = await fingerprintIn(configMap);
  if (fingerprint === undefined) {
    throw new JoinError("away", `the server has not written yet who it is, into the config map ${configMap}`, {
      remedy: "see under service-accounts in the server's health what keeps it from that",
    });
  }
  return { text: (await readFile(tokenFile, "utf8")).trim(), id: `service-account/${fingerprint}`, fingerprint };
}

async function fingerprintIn(configMap: string): Promise<string | undefined> {
  const [namespace = "", name = ""] = configMap.split("/");
  let kube: Kube | undefined;
  try {
    kube = connect();
    const { data } = (await kube.get(resources.configMaps, name, { namespace })) as { data?: Record<string, string> };
    return data?.["fingerprint"];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "not-found") return undefined;
    const code = error.code === "forbidden" || error.code === "unauthorized" ? "no-token" : "away";
    throw new JoinError(code, `it cannot be asked who the server is: ${error.message}`, {
      cause: error,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    });
  } finally {
    kube?.close();
  }
}
