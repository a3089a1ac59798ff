import type { Runtime } from "../registry.ts";

/**
 * Podman: its service where a socket is there, and what it keeps on disk, because it needs no service to run a container.
 * Loaded where there is one, as Docker.
 */
export const podman: Runtime = {
  kind: "podman",
  paths: ["/run/podman/podman.sock", "/run/user/*/podman/podman.sock", "/var/lib/containers/storage"],
  async open(path, node) {
    if (path.endsWith(".sock")) {
      const { dockerApiSource } = await import("./docker-api.ts");
      return dockerApiSource({ node, socket: path, kind: "podman" });
    }
    const { storageSource } = await import("./podman-storage.ts");
    return storageSource(node, path);
  },
};
