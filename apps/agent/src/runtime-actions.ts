import type { ContainerRegistry } from "@bulwark/containers";
import type { RuntimeActions } from "@bulwark/respond";

/** What is done to containers through the runtimes that told of them. */
export function runtimeActions(registry: Pick<ContainerRegistry, "control">): RuntimeActions {
  return {
    pause: async (container) => registry.control(container, "pause"),
    resume: async (container) => registry.control(container, "resume"),
    stop: async (container) => registry.control(container, "stop"),
  };
}
