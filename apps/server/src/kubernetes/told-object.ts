import { KubeError, type KubeResource } from "@bulwark/kube";
import { isRecord } from "@bulwark/manifests";
import { errorText } from "@bulwark/model";
import type { KubeManifest } from "@bulwark/store";

/** Nobody has looked into what a collector tells: what is not the object that it is told as is none. */
export function toldObject({ uid, namespace, name, manifest }: KubeManifest): KubeResource | undefined {
  if (manifest === null) return undefined;
  try {
    const object: unknown = JSON.parse(manifest);
    if (!isRecord(object) || !isRecord(object["metadata"])) return undefined;
    const { metadata } = object;
    const is = metadata["uid"] === uid && metadata["name"] === name && (metadata["namespace"] ?? "") === namespace;
    return is ? (object as unknown as KubeResource) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw new KubeError("bad-response", errorText(error));
  }
}
