import type { NodeImage } from "./registry.ts";
import { containerd } from "./runtimes/containerd.ts";

/** The images of every namespace of a containerd, each by one name. Raises `RuntimeError`. */
export async function containerdImages(socket: string): Promise<NodeImage[]> {
  await using source = await containerd.open(socket, "");
  return (await source.images?.()) ?? [];
}
