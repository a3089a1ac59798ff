import type { Runtime } from "../registry.ts";

/** Docker, through its API on a unix socket. Loaded where there is one: schemas take longer than all else of a watch. */
export const docker: Runtime = {
  kind: "docker",
  paths: ["/run/docker.sock"],
  async open(socket, node) {
    const { dockerApiSource } = await import("./docker-api.ts");
    return dockerApiSource({ node, socket, kind: "docker" });
  },
};
