import { z } from "zod";

/** An image that somebody pushed. */
export interface Push {
  repository: string;
  tag: string | null;
  digest: string | null;
}

const repository = z.string().min(1).max(256);
const tag = z.string().min(1).max(128).nullish();
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .nullish();
const most = 1000;

/** https://distribution.github.io/distribution/about/notifications/ */
const distribution = z.object({
  events: z
    .array(
      z.object({
        action: z.string(),
        target: z.object({ mediaType: z.string().nullish(), repository: repository.nullish(), tag, digest }).nullish(),
      }),
    )
    .max(most),
});

/** https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/ */
const harborData = z.object({
  repository: z.object({ repo_full_name: repository }),
  resources: z.array(z.object({ tag, digest })).max(most),
});
const harbor = z.object({ type: z.string(), event_data: harborData });
const harborCloudEvent = z.object({ specversion: z.string(), type: z.string(), data: harborData });

/** https://docs.docker.com/docker-hub/repos/manage/webhooks/ */
const dockerHub = z.object({ push_data: z.object({ tag }), repository: z.object({ repo_name: repository }) });

/**
 * The images that a webhook of a registry tells of: of Harbor, of Docker Hub, or of whatever speaks as the reference
 * implementation does. Undefined where it is none of these; empty where nothing was pushed.
 */
export function pushesOf(body: unknown): Push[] | undefined {
  const events = distribution.safeParse(body);
  if (events.success) {
    return events.data.events.flatMap(({ action, target }) =>
      // A layer that was pushed is no image yet.
      action === "push" && target?.repository && (target.tag || isManifest(target.mediaType))
        ? [{ repository: target.repository, tag: target.tag ?? null, digest: target.digest ?? null }]
        : [],
    );
  }
  const told = harbor.safeParse(body);
  if (told.success) return ofHarbor(told.data.type === "PUSH_ARTIFACT", told.data.event_data);
  const cloudEvent = harborCloudEvent.safeParse(body);
  if (cloudEvent.success) return ofHarbor(cloudEvent.data.type === "harbor.artifact.pushed", cloudEvent.data.data);
  const hub = dockerHub.safeParse(body);
  if (!hub.success) return undefined;
  return [{ repository: hub.data.repository.repo_name, tag: hub.data.push_data.tag ?? null, digest: null }];
}

function ofHarbor(isPush: boolean, data: z.infer<typeof harborData>): Push[] {
  if (!isPush) return [];
  return data.resources.map((resource) => ({
    repository: data.repository.repo_full_name,
    tag: resource.tag ?? null,
    digest: resource.digest ?? null,
  }));
}

function isManifest(mediaType: string | null | undefined): boolean {
  return /manifest|image\.index/.test(mediaType ?? "");
}
