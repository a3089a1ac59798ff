import type { ImageConfig } from "./analyzer.ts";
import { flag, list, names, object, optional, read, text } from "./shape.ts";

const words = list(100_000, text);

/**
 * An image's configuration with the digests of its layers, unpacked; undefined where the document is none.
 * https://github.com/opencontainers/image-spec/blob/main/config.md, and Docker's `Healthcheck`.
 */
export function parseConfig(value: unknown): { config: ImageConfig; diffIds: string[] } | undefined {
  return read(value, (document) => {
    const { architecture, os, created, config, history, rootfs } = object(document);
    const set = optional(object)(config) ?? {};
    const test = optional(words)(optional(object)(set["Healthcheck"])?.["Test"])?.[0];
    return {
      diffIds: optional(list(1000, text))(optional(object)(rootfs)?.["diff_ids"]) ?? [],
      config: {
        architecture: optional(text)(architecture) ?? "",
        os: optional(text)(os) ?? "",
        created: optional(text)(created) ?? null,
        user: optional(text)(set["User"]) ?? "",
        environment: optional(words)(set["Env"]) ?? [],
        entrypoint: optional(words)(set["Entrypoint"]) ?? [],
        command: optional(words)(set["Cmd"]) ?? [],
        labels: optional(names(text))(set["Labels"]) ?? {},
        exposedPorts: Object.keys(optional(object)(set["ExposedPorts"]) ?? {}),
        volumes: Object.keys(optional(object)(set["Volumes"]) ?? {}),
        healthcheck: test !== undefined && test !== "" && test !== "NONE",
        history: optional(list(10_000, step))(history) ?? [],
      },
    };
  });
}

function step(value: unknown): ImageConfig["history"][number] {
  const { created_by: createdBy, empty_layer: emptyLayer, created } = object(value);
  return {
    createdBy: optional(text)(createdBy) ?? "",
    emptyLayer: optional(flag)(emptyLayer) ?? false,
    created: optional(text)(created) ?? null,
  };
}
