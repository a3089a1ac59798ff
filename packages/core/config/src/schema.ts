import { clusterName, nodeName, policySetting } from "@bulwark/model";
import { z } from "zod";
import { defaultDataFolder } from "./data-folder.ts";

const size = z
  .string()
  .regex(/^\d+ ?(MB|GB|TB)$/, "a size such as 20 GB")
  .transform((text) => Number.parseInt(text, 10) * ({ MB: 1e6, GB: 1e9, TB: 1e12 }[text.slice(-2)] ?? 1));
const days = z.number().int().min(1).max(3650);
const path = z.string().min(1);
const namespaced = z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/, "namespace/name");
/** A day, or a moment with its zone, as milliseconds since the epoch. */
const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).transform((text) => Date.parse(text));
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "an address or a network such as 10.0.0.0/8");

const clamd = z
  .string()
  .regex(/^(?:\/.+|tcp:\/\/(?:\[[0-9a-f:]+\]|[^:/]+):\d{1,5})$/i, "the path of a socket, or tcp://HOST:PORT");

/** The whole of `bulwark.yaml`. Everything has a default; a word that is not here is an error. */
const ruleFiles = z.strictObject({
  /** Rule files, or folders of them; later ones may change what earlier ones and Bulwark's own define. */
  files: z.array(path).max(256).default([]),
  /** Rules that are off, by name or id. */
  disabled: z.array(z.string().max(256)).max(4096).default([]),
});

export const configSchema = z.strictObject({
  /** Folder of the database, the spool, the advisory database and the keys. */
  data: z.string().min(1).default(defaultDataFolder),
  server: z
    .strictObject({
      /** Where the API and the console listen. */
      address: z.string().default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(8443),
      /** What people and agents call it, when it is behind something: `https://bulwark.example.com`. */
      url: z.url().optional(),
      /** PostgreSQL instead of the embedded SQLite. `DATABASE_URL` wins. */
      database: z.string().optional(),
      /** NATS JetStream instead of the bus in the process. `NATS_URL` wins. */
      nats: z.string().optional(),
      /** https for the API and the console: PEM files, read at the start. */
      tls: z.strictObject({ certificate: path, key: path }).optional(),
      /** Addresses and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed. */
      trustProxy: z.array(network).default([]),
      /** Name of this replica where there are several; the host's name by default, which is the pod's in Kubernetes. */
      replica: nodeName.optional(),
      /**
       * Where agents of other machines connect, with client certificates. `serve` listens there by default, `up` only when
       * this is set. The certificate is the server's own authority's: what stands before it must pass TLS through.
       */
      agents: z
        .strictObject({
          /** As `server.address` by default. */
          address: z.string().optional(),
          /** 8444 by default; a free one where `server.port` is 0. */
          port: z.number().int().min(0).max(65_535).optional(),
          /** Days that an agent's certificate is good for; it is renewed after half of them. */
          certificateDays: z.number().int().min(1).max(90).default(7),
          /**
           * In Kubernetes: pods of this service account join with its token for the audience `bulwark`, each as the node
           * that it runs on. The fingerprint of the authority is written into the config map, where they find it.
           */
          serviceAccount: z.strictObject({ name: namespaced, configMap: namespaced }).optional(),
        })
        .optional(),
      /**
       * File with a secret of at least 32 characters, the same for all replicas: keys in the database are encrypted with
       * it. `BULWARK_KEY` wins. Without it the private key of the agents' authority is guarded by the database's rights.
       */
      keyFile: path.optional(),
      /** File with the token that may read `/metrics` and nothing else. `BULWARK_METRICS_TOKEN` wins. */
      metricsTokenFile: path.optional(),
      /** Scans of images of connected registries; one at a time in each replica. */
      scan: z
        .strictObject({
          /** What one scan may take; one that needs more is given up, and said to be. */
          memory: size.default(2e9),
          /** As `agent.scan.clamd`. */
          clamd: clamd.optional(),
        })
        .prefault({}),
      /** Clusters whose objects are known. The one that the server runs in is among them by itself. */
      kubernetes: z
        .strictObject({
          /** What the cluster that the server runs in is called. */
          name: clusterName.default("default"),
          /** Others, each by a kubeconfig file; `context` is its current one by default. */
          clusters: z
            .array(z.strictObject({ name: clusterName, kubeconfig: path, context: z.string().optional() }))
            .max(256)
            .default([]),
          /** Rules for the audit logs that API servers send, besides those that come with Bulwark. */
          rules: ruleFiles.prefault({}),
        })
        .prefault({}),
      /** The admission webhook: policies that API servers ask before they take an object in. Off where this is missing. */
      admission: z
        .strictObject({
          /** As `server.address` by default. */
          address: z.string().optional(),
          port: z.number().int().min(0).max(65_535).default(9443),
          /** Where API servers reach it: an address of its own, or a Service of the cluster that the server runs in. */
          url: z.url({ protocol: /^https$/ }).optional(),
          service: z
            .strictObject({ name: namespaced, port: z.number().int().min(1).max(65_535).default(443) })
            .optional(),
          /** Name of the webhook configurations that are kept up to date in each cluster. */
          configuration: z
            .string()
            .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "a name of an object")
            .default("bulwark"),
          /** Bulwark's own in each cluster, with its config maps of policies: of the Service, else `bulwark`. */
          namespace: z.string().min(1).max(63).optional(),
          /** Besides kube-system and Bulwark's own, about which no policy is ever asked. */
          excludedNamespaces: z.array(z.string().min(1).max(63)).max(500).default([]),
          /** Milliseconds for an answer. */
          deadline: z.number().int().min(100).max(25_000).default(4000),
          /** Policies of your own, besides the library: files, or folders of them. */
          files: z.array(path).max(256).default([]),
          /** How registries are reached where an ImagePolicy asks: what is not said here is as for scans. */
          registries: z
            .strictObject({
              /** Hosts that are spoken to without encryption. */
              plainHttp: z.array(z.string()).max(64).default([]),
              /** Files with certificates in PEM that are trusted beside the public ones. */
              authorities: z.array(path).max(64).default([]),
              /** Addresses that are asked before a registry, by its host. */
              mirrors: z.record(z.string(), z.array(z.string()).max(8)).default({}),
            })
            .prefault({}),
          /** Which are in force, and how; what is set in the console comes after these, and wins. */
          policies: z
            .array(policySetting.extend({ from: moment.nullable().default(null) }))
            .max(1000)
            .default([]),
        })
        .optional(),
    })
    .prefault({}),
  agent: z
    .strictObject({
      /** Name of this node; the host's name by default. */
      node: nodeName.optional(),
      /** Addresses of the control plane's agent port (`https://bulwark.example:8444`); the next one when one is silent. */
      servers: z.array(z.url()).max(32).default([]),
      /** File with the token of `bulwark join`, read until this node has its certificate. `BULWARK_JOIN_TOKEN` wins. */
      joinTokenFile: path.optional(),
      /** In Kubernetes, instead: the projected token of the pod's service account, and where the server's fingerprint is. */
      serviceAccount: z.strictObject({ tokenFile: path, configMap: namespaced }).optional(),
      /** Watch the host's own processes too, not containers only. */
      host: z.boolean().default(false),
      /** Events a second that one container may make; of more than that it loses its own, and no others'. */
      eventRate: z.number().int().min(100).max(1_000_000).default(20_000),
      /** Events that may be lost on this node within a minute before that is an alert. */
      lossLimit: z.number().int().min(0).max(1_000_000_000).default(100),
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
      /** In a cluster: what the agent knows of its own node's pods, and the API server's audit log where it is a file. */
      kubernetes: z
        .strictObject({
          /** File by which the API server is reached; the pod's own account by default. */
          kubeconfig: path.optional(),
          /** Secret (`namespace/name`) in which `bulwark cluster` keeps its identity; the data folder by default. */
          identitySecret: namespaced.optional(),
          /** As the server calls the cluster. */
          cluster: clusterName.default("default"),
          /** `--audit-log-path` of the API server on this node. */
          auditLog: path.optional(),
        })
        .prefault({}),
      /** Rules in Falco's language, besides those that come with Bulwark. */
      rules: ruleFiles.prefault({}),
      /** What the agent does when it is told to; nothing without a response policy. */
      response: z
        .strictObject({
          /** False: whatever the server orders, this node does nothing. */
          enabled: z.boolean().default(true),
          /** Delete pods and cordon the node, with the rights of the pod's account. */
          kubernetes: z.boolean().default(false),
        })
        .prefault({}),
      /** What containers say to each other. */
      network: z
        .strictObject({
          /** Count it, and tell the server who talked to whom: the map, learning of policies, trying them out. */
          flows: z.boolean().default(false),
          /** Seconds between two reports of it. */
          flowsEvery: z.number().int().min(1).max(3600).default(60),
          /** Count it, and raise alerts of what is out of the ordinary in it: scans, beacons, tunnels, exfiltration, … */
          detect: z.boolean().default(false),
          /**
           * Enforce the network policies of the cluster for the pods of this node, in the kernel: for clusters whose network
           * enforces none.
           */
          enforce: z.boolean().default(false),
        })
        .prefault({}),
      /** How the host is set up, held against benchmarks. */
      benchmarks: z
        .strictObject({
          /** Where the host's root is mounted; another place than `/` in a pod. */
          root: path.default("/"),
          /** Hours between two looks; 0 never looks. */
          hours: z.number().min(0).max(720).default(12),
        })
        .prefault({}),
      /** What is inside images: packages, secrets, malware, configuration. One scan at a time, with the lowest priority. */
      scan: z
        .strictObject({
          /** `running`: only those that containers run; `all`: then those that lie on the node, too. */
          images: z.enum(["running", "all"]).default("all"),
          /** What one scan may take; one that needs more is given up, and said to be. */
          memory: size.default(1e9),
          /**
           * A clamd that every file of an image is shown to, besides Bulwark's own rules: its socket, or `tcp://HOST:PORT`, which
           * is sent all that is scanned, unencrypted.
           */
          clamd: clamd.optional(),
        })
        .prefault({}),
      /** Bound of the spool on disk while the server is away. */
      spool: size.default(1e9),
    })
    .prefault({}),
  /** What is kept, by age and by size: the one place. */
  retention: z
    .strictObject({
      events: days.default(7),
      alerts: days.default(180),
      flows: days.default(14),
      audit: days.default(365),
      assets: days.default(30),
      size: size.default(20e9),
    })
    .prefault({}),
});
export type Config = z.infer<typeof configSchema>;
