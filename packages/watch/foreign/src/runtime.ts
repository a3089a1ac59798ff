import { runtimeKinds, type Container } from "@bulwark/model";

/** As runtimes name themselves in the ids of Kubernetes and in Falco; `unknown` where it is none that is known. */
export function runtimeNamed(name: string): Container["runtime"] {
  return runtimeKinds.find((kind) => kind === name) ?? "unknown";
}
