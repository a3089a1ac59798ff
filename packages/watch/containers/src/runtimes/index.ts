import type { RuntimeKind } from "@bulwark/model";
import type { Runtime } from "../registry.ts";
import { containerd } from "./containerd.ts";
import { crio } from "./cri-o.ts";
import { docker } from "./docker.ts";
import { podman } from "./podman.ts";
import { crun, runc } from "./runc.ts";

/** Every kind of runtime. Of two that tell of one container, the one further up tells it better. */
export const runtimes: readonly Runtime[] = [docker, podman, crio, containerd, runc, crun];

/** Where runtimes are looked for. */
export type RuntimePaths = Record<RuntimeKind, readonly string[]>;

export const defaultPaths = Object.fromEntries(runtimes.map(({ kind, paths }) => [kind, paths])) as RuntimePaths;
