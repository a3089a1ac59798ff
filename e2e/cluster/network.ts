import { existsSync } from "node:fs";
import { run } from "@bulwark/testkit";
import { namespacePath } from "./processes.ts";

/**
 * Addresses of one cluster, all in 10.`block`.0.0/16: machines in .0.0/24, pods of the n-th node in .(64+n).0/24,
 * services in .128.0/17. The machine of the test itself is .0.254, so that a test reaches nodes, pods and services.
 */
export interface Network {
  /** Starts the names of its network namespaces and links. */
  id: string;
  block: number;
  nodes: number;
}

export const controlPlaneAddress = ({ block }: Network): string => `10.${block}.0.1`;
export const hostAddress = ({ block }: Network): string => `10.${block}.0.254`;
/** Nodes count from 1. */
export const nodeAddress = ({ block }: Network, node: number): string => `10.${block}.0.${10 + node}`;
export const podRange = ({ block }: Network, node: number): string => `10.${block}.${64 + node}.0/24`;
export const podsRange = ({ block }: Network): string => `10.${block}.64.0/18`;
export const serviceRange = ({ block }: Network): string => `10.${block}.128.0/17`;
/** The first address of the range: that of the service `kubernetes`. */
export const apiServiceAddress = ({ block }: Network): string => `10.${block}.128.1`;

export const controlPlaneNamespace = ({ id }: Network): string => `bw${id}-cp`;
export const nodeNamespace = ({ id }: Network, node: number): string => `bw${id}-n${node}`;

/** A block of addresses that nothing on this machine uses. */
export function freeBlock(): number {
  const routes = run("ip", ["-4", "route", "show", "table", "all"]);
  for (let attempt = 0; attempt < 200; attempt++) {
    const block = 60 + Math.floor(Math.random() * 190);
    if (!new RegExp(`\\b10\\.${block}\\.`).test(routes)) return block;
  }
  throw new Error("no free block of addresses in 10.60.0.0 to 10.249.0.0");
}

/** A bridge in the namespace of the control plane, to which the nodes and the machine of the test are joined. */
export function createNetwork(network: Network): void {
  const control = controlPlaneNamespace(network);
  createNamespace(control);
  inside(control, "ip", "link", "add", "br0", "type", "bridge");
  inside(control, "ip", "addr", "add", `${controlPlaneAddress(network)}/24`, "dev", "br0");
  inside(control, "ip", "link", "set", "br0", "up");
  for (let node = 1; node <= network.nodes; node++) {
    const name = nodeNamespace(network, node);
    createNamespace(name);
    join(network, `n${node}`, name, nodeAddress(network, node));
    inside(name, "ip", "route", "add", "default", "via", controlPlaneAddress(network));
    inside(control, "ip", "route", "add", podRange(network, node), "via", nodeAddress(network, node));
    for (let other = 1; other < node; other++) {
      inside(name, "ip", "route", "add", podRange(network, other), "via", nodeAddress(network, other));
      const from = nodeNamespace(network, other);
      inside(from, "ip", "route", "add", podRange(network, node), "via", nodeAddress(network, node));
    }
  }
  join(network, "host", undefined, hostAddress(network));
  for (let node = 1; node <= network.nodes; node++) {
    run("ip", ["route", "add", podRange(network, node), "via", nodeAddress(network, node)]);
  }
  // Services are balanced on nodes; from the machine of the test they are reached over the first.
  if (network.nodes > 0) run("ip", ["route", "add", serviceRange(network), "via", nodeAddress(network, 1)]);
}

export function deleteNetwork(network: Network): void {
  quietly("ip", ["link", "delete", hostLink(network)]);
  for (let node = 1; node <= network.nodes; node++) deleteNamespace(nodeNamespace(network, node));
  deleteNamespace(controlPlaneNamespace(network));
}

/** Pulls a node's cable, or plugs it in again. */
export function setLink(network: Network, node: number, state: "up" | "down"): void {
  inside(controlPlaneNamespace(network), "ip", "link", "set", `n${node}`, state);
}

/** Runs a command in a network namespace; its output. */
export function inside(namespace: string, ...command: string[]): string {
  return run("nsenter", [`--net=${namespacePath(namespace)}`, ...command]);
}

function createNamespace(name: string): void {
  run("ip", ["netns", "add", name]);
  inside(name, "ip", "link", "set", "lo", "up");
  inside(name, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0");
}

function deleteNamespace(name: string): void {
  if (existsSync(namespacePath(name))) quietly("ip", ["netns", "delete", name]);
}

/** A pair of links between the bridge and a namespace; without one, the namespace of this process. */
function join(network: Network, port: string, namespace: string | undefined, address: string): void {
  const control = controlPlaneNamespace(network);
  const outer = port === "host" ? hostLink(network) : "eth0";
  const place = namespace === undefined ? `${process.pid}` : namespace;
  inside(control, "ip", "link", "add", port, "type", "veth", "peer", "name", outer, "netns", place);
  inside(control, "ip", "link", "set", port, "master", "br0", "up");
  const ip = (...args: string[]): string =>
    namespace === undefined ? run("ip", args) : inside(namespace, "ip", ...args);
  ip("addr", "add", `${address}/24`, "dev", outer);
  ip("link", "set", outer, "up");
}

function hostLink({ id }: Network): string {
  return `bw${id}`;
}

function quietly(command: string, args: string[]): void {
  try {
    run(command, args);
  } catch {
    // Gone already.
  }
}
