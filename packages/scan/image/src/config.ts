import { z } from "zod";
import type { ImageConfig } from "./analyzer.ts";

const strings = z.array(z.string()).nullish();
const set = z.record(z.string(), z.unknown()).nullish();
/** https://github.com/opencontainers/image-spec/blob/main/config.md, and Docker's `Healthcheck`. */
const document = z.object({
  architecture: z.string().nullish(),
  os: z.string().nullish(),
  created: z.string().nullish(),
  config: z
    .object({
      User: z.string().nullish(),
      Env: strings,
      Entrypoint: strings,
      Cmd: strings,
      Labels: z.record(z.string(), z.string()).nullish(),
      ExposedPorts: set,
      Volumes: set,
      Healthcheck: z.object({ Test: strings }).nullish(),
    })
    .nullish(),
  history: z
    .array(
      z.object({ created_by: z.string().nullish(), empty_layer: z.boolean().nullish(), created: z.string().nullish() }),
    )
    .max(10_000)
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).max(1000).nullish() }).nullish(),
});

/** An image's configuration with the digests of its layers, unpacked; undefined where the document is none. */
export function parseConfig(value: unknown): { config: ImageConfig; diffIds: string[] } | undefined {
  const parsed = document.safeParse(value);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const { config } = data;
  const test = config?.Healthcheck?.Test?.[0];
  return {
    diffIds: data.rootfs?.diff_ids ?? [],
    config: {
      architecture: data.architecture ?? "",
      os: data.os ?? "",
      created: data.created ?? null,
      user: config?.User ?? "",
      environment: config?.Env ?? [],
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      labels: config?.Labels ?? {},
      exposedPorts: Object.keys(config?.ExposedPorts ?? {}),
      volumes: Object.keys(config?.Volumes ?? {}),
      healthcheck: test !== undefined && test !== "" && test !== "NONE",
      history: (data.history ?? []).map((step) => ({
        createdBy: step.created_by ?? "",
        emptyLayer: step.empty_layer ?? false,
        created: step.created ?? null,
      })),
    },
  };
}
