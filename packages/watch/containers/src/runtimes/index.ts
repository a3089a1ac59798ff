import { existsSync } from "node:fs";
import type { RuntimeKind } from "@bulwark/model";
import type { RuntimeSource } from "../registry.ts";
import { containerdSource } from "./containerd.ts";
import { crioSource } from "./cri-o.ts";
import { dockerSource } from "./docker.ts";
import { ociStateSource } from "./oci-state.ts";

/** A place where a runtime may be, and how to talk to it there. */
export interface RuntimePlace {
  kind: RuntimeKind;
  path: string;
  open(node: string): RuntimeSource;
}

/** Where runtimes are by themselves; each list may be replaced by other paths. */
export interface RuntimePaths {
  containerd: string[];
  docker: string[];
  "cri-o": string[];
  podman: string[];
  runc: string[];
  crun: string[];
}

export const defaultPaths: RuntimePaths = {
  containerd: ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"],
  docker: ["/var/run/docker.sock"],
  "cri-o": ["/var/run/crio/crio.sock"],
  podman: ["/run/podman/podman.sock"],
  runc: ["/run/runc"],
  crun: ["/run/crun"],
};

const openers: { [K in RuntimeKind]: (node: string, path: string) => RuntimeSource } = {
  containerd: (node, socket) => containerdSource({ node, socket }),
  docker: (node, socket) => dockerSource({ node, socket, kind: "docker" }),
  "cri-o": (node, socket) => crioSource({ node, socket }),
  podman: (node, socket) => dockerSource({ node, socket, kind: "podman" }),
  runc: (node, root) => ociStateSource({ node, kind: "runc", root }),
  crun: (node, root) => ociStateSource({ node, kind: "crun", root }),
};

/** Every place that is looked at, the richest kind of runtime first. */
export function runtimePlaces(paths: RuntimePaths): RuntimePlace[] {
  const kinds: RuntimeKind[] = ["docker", "podman", "cri-o", "containerd", "runc", "crun"];
  return kinds.flatMap((kind) =>
    paths[kind].map((path) => ({ kind, path, open: (node) => openers[kind](node, path) })),
  );
}

export function isThere({ path }: RuntimePlace): boolean {
  return existsSync(path);
}
