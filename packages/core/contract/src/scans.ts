import { scan, scanOrigin, scanState } from "@bulwark/model";
import { z } from "zod";
import { cursor, id, limit, page, text } from "./parts.ts";
import type { Route } from "./route.ts";

/** Which images are looked into, how that gets on, and what is inside them. */
export const scanRoutes = {
  listScans: {
    method: "GET",
    path: "/api/v1/scans",
    tag: "scans",
    access: "read",
    summary: "Scans of images: under way, then waiting in their order, then failed, then done",
    query: z.strictObject({
      state: scanState.optional(),
      origin: scanOrigin.optional(),
      /** A node, or `registry:<id>`. */
      place: z.string().max(512).optional(),
      q: text,
      cursor,
      limit,
    }),
    response: page(scan),
  },
  countScans: {
    method: "GET",
    path: "/api/v1/scan-counts",
    tag: "scans",
    access: "read",
    summary: "How many scans are under way, wait, failed and are done, by where the images come from",
    response: z.object({ counts: z.record(scanOrigin, z.record(scanState, z.number().int())) }),
  },
  getImageSbom: {
    method: "GET",
    path: "/api/v1/images/{id}/sbom",
    tag: "scans",
    access: "read",
    summary: "The bill of materials of an image; the id is its key",
    params: id,
    query: z.strictObject({ format: z.enum(["cyclonedx", "spdx"]).default("cyclonedx") }),
    response: z.record(z.string(), z.unknown()),
  },
} as const satisfies Record<string, Route>;
