import { existsSync } from "node:fs";
import { connect } from "node:net";
import { systemCode } from "@bulwark/model/plain";
import { failed, off, ok, type Finding } from "./probe.ts";

/** Runtimes with a socket, where Debian, Kubernetes and their own packages put it. */
const sockets: { name: string; paths: string[]; package: string }[] = [
  {
    name: "containerd",
    paths: ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"],
    package: "containerd",
  },
  { name: "docker", paths: ["/var/run/docker.sock"], package: "docker.io" },
  { name: "cri-o", paths: ["/var/run/crio/crio.sock"], package: "cri-o" },
  { name: "podman", paths: ["/run/podman/podman.sock"], package: "podman" },
];

export async function runtimes(): Promise<Finding[]> {
  const found = await Promise.all(sockets.map((runtime) => look(runtime)));
  if (found.some(({ state }) => state === "ok")) return found.filter(({ state }) => state !== "off" || false);
  return [
    ...found.filter(({ state }) => state === "failed"),
    off(
      "runtimes",
      `none answers (${sockets.map(({ name }) => name).join(", ")})`,
      "start one, for example: apt-get install containerd; containers of bare runc are found without",
    ),
  ];
}

async function look({ name, paths }: { name: string; paths: string[] }): Promise<Finding> {
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) return off(name, `no socket at ${paths.join(" or ")}`, "");
  const problem = await tryConnect(path);
  if (problem === undefined) return ok(name, path);
  if (problem === "EACCES") return failed(name, `${path}: permission denied`, "run as root");
  return failed(name, `${path}: ${problem}`, `nothing listens there: start ${name}, or remove the stale socket`);
}

async function tryConnect(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(2000, () => done("no answer within 2 seconds"));
    socket.once("connect", () => done(undefined));
    socket.once("error", (error) => done(systemCode(error) ?? error.message));
    function done(problem: string | undefined): void {
      socket.destroy();
      resolve(problem);
    }
  });
}
