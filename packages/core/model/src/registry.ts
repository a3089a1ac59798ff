import { z } from "zod";

/** `shop/*`, `*-base`: `*` stands for any characters. */
const pattern = z.string().min(1).max(256);

/** What a person says of a registry that is connected; its credentials are kept apart, sealed. */
export const registrySettings = z.strictObject({
  name: z.string().trim().min(1).max(128),
  /** `https://registry.example`; `http://` for one without encryption. */
  url: z.url({ protocol: /^https?$/ }).max(1024),
  /** Certificates in PEM that are trusted beside the public ones. */
  authority: z.string().max(262_144).nullable().default(null),
  /** Repositories that are looked into. Names without `*` are taken as they are, so that the registry need not list them. */
  repositories: z.array(pattern).min(1).max(1000).default(["*"]),
  /** Tags of them. */
  tags: z.array(pattern).min(1).max(100).default(["*"]),
  /** Of the tags of a repository that fit, so many: those of the highest versions. */
  newest: z.number().int().min(1).max(1000).default(20),
  /** Hours between two looks; null: only when a webhook tells of a push, or somebody asks. */
  everyHours: z.number().int().min(1).max(720).nullable().default(24),
  /** Of an image for several. */
  platform: z
    .string()
    .regex(/^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9]+)?$/, "a platform such as linux/amd64")
    .default("linux/amd64"),
});
export type RegistrySettings = z.infer<typeof registrySettings>;

export const registryCredentials = z.strictObject({
  username: z.string().min(1).max(512),
  password: z.string().min(1).max(16_384),
});
export type RegistryCredentials = z.infer<typeof registryCredentials>;

/** `waiting`: it has not been looked at yet. */
export const registryStates = ["waiting", "ok", "partial", "failed"] as const;

/** A registry whose images are scanned. */
export const connectedRegistry = z.strictObject({
  id: z.string().max(64),
  settings: registrySettings,
  /** Whether it is asked by name and password. */
  hasCredentials: z.boolean(),
  state: z.enum(registryStates),
  reason: z.string().max(1024),
  remedy: z.string().max(1024),
  createdAt: z.number().int(),
  /** When it was looked at last, and will be again; null for never. */
  listedAt: z.number().int().nullable(),
  nextAt: z.number().int().nullable(),
  /** Tags that fit. */
  images: z.number().int(),
});
export type ConnectedRegistry = z.infer<typeof connectedRegistry>;

/** A tag of a registry, and what it leads to. */
export const registryImage = z.strictObject({
  repository: z.string().max(256),
  tag: z.string().max(128),
  digest: z.string().max(128),
  /** As {@link imageReport} has it. */
  key: z.string().max(1400),
  seenAt: z.number().int(),
});
export type RegistryImage = z.infer<typeof registryImage>;

/** Where the scans of a registry's images are told under. */
export function registryPlace(id: string): `registry:${string}` {
  return `registry:${id}`;
}
