import type { Runtime } from "../registry.ts";

/** CRI-O, through the Container Runtime Interface. Loaded where there is one, as Docker. */
export const crio: Runtime = {
  kind: "cri-o",
  paths: ["/run/crio/crio.sock"],
  async open(socket, node) {
    const { crioSource } = await import("./cri.ts");
    return crioSource(socket, node);
  },
};
