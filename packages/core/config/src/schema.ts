import { z } from "zod";

const size = z
  .string()
  .regex(/^\d+ ?(MB|GB|TB)$/, "a size such as 20 GB")
  .transform((text) => Number.parseInt(text, 10) * ({ MB: 1e6, GB: 1e9, TB: 1e12 }[text.slice(-2)] ?? 1));
const days = z.number().int().min(1).max(3650);

/** The whole of `bulwark.yaml`. Everything has a default; a word that is not here is an error. */
export const configSchema = z.strictObject({
  /** Folder of the database, the spool, the advisory database and the keys. */
  data: z
    .string()
    .min(1)
    .default(process.getuid?.() === 0 ? "/var/lib/bulwark" : ".bulwark"),
  server: z
    .strictObject({
      /** Where the API and the console listen. */
      address: z.string().default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(8443),
      /** What people and agents call it, when it is behind something: `https://bulwark.example.com`. */
      url: z.url().optional(),
      /** PostgreSQL instead of the embedded SQLite. */
      database: z.string().optional(),
      /** NATS JetStream instead of the bus in the process. */
      nats: z.string().optional(),
    })
    .prefault({}),
  agent: z
    .strictObject({
      /** Name of this node; the host's name by default. */
      node: z.string().min(1).max(256).optional(),
      /** Watch the host's own processes too, not containers only. */
      host: z.boolean().default(false),
      /** Sockets and state folders of container runtimes, where they are not at the usual places. */
      runtimes: z
        .strictObject({
          containerd: z.array(z.string()).optional(),
          docker: z.array(z.string()).optional(),
          "cri-o": z.array(z.string()).optional(),
          podman: z.array(z.string()).optional(),
          runc: z.array(z.string()).optional(),
          crun: z.array(z.string()).optional(),
        })
        .default({}),
      /** Bound of the spool on disk while the server is away. */
      spool: size.default(1e9),
    })
    .prefault({}),
  /** What is kept, by age and by size: the one place. */
  retention: z
    .strictObject({
      events: days.default(7),
      alerts: days.default(180),
      audit: days.default(365),
      assets: days.default(30),
      size: size.default(20e9),
    })
    .prefault({}),
});
export type Config = z.infer<typeof configSchema>;
