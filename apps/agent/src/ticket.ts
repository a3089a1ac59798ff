import { readFile } from "node:fs/promises";
import type { Config } from "@bulwark/config";
import { parseJoinToken } from "@bulwark/identity";
import { connect, KubeError, resources } from "@bulwark/kube";
import { systemCode } from "@bulwark/model";
import type { Ticket } from "./identity.ts";

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

/** The token is renewed by the kubelet; it is the same ticket all the same. None until the server has said who it is. */
async function accountTicket({
  tokenFile,
  configMap,
}: NonNullable<Config["agent"]["serviceAccount"]>): Promise<Ticket | undefined> {
  const [namespace = "", name = ""] = configMap.split("/");
  const kube = connect();
  try {
    const { data } = (await kube.get(resources.configMaps, name, { namespace })) as { data?: Record<string, string> };
    const fingerprint = data?.["fingerprint"];
    if (fingerprint === undefined) return undefined;
    return { text: (await readFile(tokenFile, "utf8")).trim(), id: "service-account", fingerprint };
  } catch (error) {
    // Not there yet, or nobody answers: the node says that it has not joined, and asks again.
    if (error instanceof KubeError || systemCode(error) === "ENOENT") return undefined;
    throw error;
  } finally {
    kube.close();
  }
}
