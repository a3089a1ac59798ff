import { z } from "zod";

/** An image that somebody pushed. */
export interface Push {
  repository: string;
  tag: string | null;
  digest: string | null;
}

const repository = z.string().min(1).max(256);
const tagName = z.string().min(1).max(128);
const tag = tagName.nullish();
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .nullish();
const most = 1000;

/** https://distribution.github.io/distribution/about/notifications/ */
const event = z.object({
  action: z.string(),
  target: z.object({ mediaType: z.string().nullish(), repository: repository.nullish(), tag, digest }).nullish(),
});
const distribution = z.object({ events: z.array(event).max(most) });
/** The same one by one: https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference */
const azure = event.extend({ request: z.object({}) });

/** https://docs.quay.io/guides/notifications.html */
const quay = z.object({ repository, docker_url: z.string(), updated_tags: z.array(tagName).max(most) });

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
 * The images that a webhook of a registry tells of: of Harbor, Docker Hub, Quay, Azure, or of whatever speaks as the
 * reference implementation does. Undefined where it is none of these; empty where nothing was pushed.
 */
export function pushesOf(body: unknown): Push[] | undefined {
  const events = distribution.safeParse(body);
  if (events.success) return ofEvents(events.data.events);
  const single = azure.safeParse(body);
  if (single.success) return ofEvents([single.data]);
  const told = harbor.safeParse(body);
  if (told.success) return ofHarbor(told.data.type === "PUSH_ARTIFACT", told.data.event_data);
  const cloudEvent = harborCloudEvent.safeParse(body);
  if (cloudEvent.success) return ofHarbor(cloudEvent.data.type === "harbor.artifact.pushed", cloudEvent.data.data);
  const tags = quay.safeParse(body);
  if (tags.success) {
    return tags.data.updated_tags.map((name) => ({ repository: tags.data.repository, tag: name, digest: null }));
  }
  const hub = dockerHub.safeParse(body);
  if (!hub.success) return undefined;
  return [{ repository: hub.data.repository.repo_name, tag: hub.data.push_data.tag ?? null, digest: null }];
}

function ofEvents(events: z.infer<typeof event>[]): Push[] {
  return events.flatMap(({ action, target }) =>
    // A layer that was pushed is no image yet.
    action === "push" && target?.repository && (target.tag || isManifest(target.mediaType))
      ? [{ repository: target.repository, tag: target.tag ?? null, digest: target.digest ?? null }]
      : [],
  );
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
