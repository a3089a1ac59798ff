import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { KubeError } from "./error.ts";

/** Where an API server is and how one is known to it. */
export interface Access {
  readonly server: string;
  /** PEM; none: the machine's own trust. */
  readonly ca?: string;
  /** PEM of a client certificate and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Another name than the server's in its certificate. */
  readonly tlsServerName?: string;
  readonly insecure?: boolean;
  readonly basic?: { username: string; password: string };
  /** Where nothing else is said. */
  readonly namespace: string;
  /** The token of now: files that rotate are read again, programs are asked again. `renew` after a 401. */
  token(renew?: boolean): Promise<ExecCredential | undefined>;
}

/** What a credential plugin gives: a token, or a certificate with its key. */
export interface ExecCredential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
}

const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Of a pod's own service account; undefined outside of a pod. The token is rotated: it is read when it changes. */
export function inCluster(folder = accountFolder, env: NodeJS.ProcessEnv = process.env): Access | undefined {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (host === undefined || !existsSync(join(folder, "token"))) return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: readFileSync(join(folder, "ca.crt"), "utf8"),
    namespace: existsSync(join(folder, "namespace"))
      ? readFileSync(join(folder, "namespace"), "utf8").trim()
      : "default",
    token: tokenFile(join(folder, "token")),
  };
}

function tokenFile(path: string): Access["token"] {
  let known: { at: number; token: string } | undefined;
  return (renew) => {
    try {
      const at = statSync(path).mtimeMs;
      if (known?.at !== at || renew === true) known = { at, token: readFileSync(path, "utf8").trim() };
      return Promise.resolve({ token: known.token });
    } catch (error) {
      // The kubelet swaps the file: what was read before still holds.
      if (known) return Promise.resolve({ token: known.token });
      throw new KubeError("bad-config", `the token file ${path} cannot be read`, { cause: error });
    }
  };
}

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context: { cluster: string; user?: string; namespace?: string } }[];
  clusters?: { name: string; cluster: Cluster }[];
  users?: { name: string; user: User }[];
}
interface Cluster {
  server: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
  "proxy-url"?: string;
}
interface User {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  exec?: ExecPlugin;
}
interface ExecPlugin {
  apiVersion: string;
  command: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  provideClusterInfo?: boolean;
}

/**
 * Of a kubeconfig: `KUBECONFIG` or `~/.kube/config` unless a path is given, and its current context unless one is named.
 * Raises a `KubeError` (`bad-config`) that says which part is missing or cannot be read.
 */
export function readKubeconfig(options: { path?: string; context?: string } = {}): Access {
  const path = options.path ?? process.env["KUBECONFIG"]?.split(":")[0] ?? join(homedir(), ".kube/config");
  const config = readConfig(path);
  const name = options.context ?? config["current-context"] ?? "";
  const context = config.contexts?.find((it) => it.name === name)?.context;
  const names = (config.contexts ?? []).map((it) => it.name).join(", ");
  if (!context) throw bad(path, `there is no context "${name}"; there are ${names || "none"}`);
  const cluster = config.clusters?.find((it) => it.name === context.cluster)?.cluster;
  if (!cluster) throw bad(path, `there is no cluster "${context.cluster}"`);
  if (cluster["proxy-url"] !== undefined) throw bad(path, "proxy-url is not supported");
  const user = config.users?.find((it) => it.name === context.user)?.user ?? {};
  const read = (data: string | undefined, file: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    return file === undefined ? undefined : readBeside(path, file);
  };
  const ca = read(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const cert = read(user["client-certificate-data"], user["client-certificate"]);
  const key = read(user["client-key-data"], user["client-key"]);
  return {
    server: cluster.server.replace(/\/$/, ""),
    namespace: context.namespace ?? "default",
    token: tokenOf(user, path),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(cluster["insecure-skip-tls-verify"] === true ? { insecure: true } : {}),
    ...(cluster["tls-server-name"] === undefined ? {} : { tlsServerName: cluster["tls-server-name"] }),
    ...(user.username !== undefined && user.password !== undefined
      ? { basic: { username: user.username, password: user.password } }
      : {}),
  };
}

function readConfig(path: string): Kubeconfig {
  let content: unknown;
  try {
    content = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw bad(path, "it cannot be read", error);
  }
  if (typeof content !== "object" || content === null) throw bad(path, "it holds no configuration");
  return content;
}

function readBeside(config: string, file: string): string {
  const path = resolve(dirname(config), file);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw bad(config, `${path} cannot be read`, error);
  }
}

function bad(path: string, problem: string, cause?: unknown): KubeError {
  return new KubeError("bad-config", `kubeconfig ${path}: ${problem}`, {
    cause,
    remedy: "name another file with KUBECONFIG or --kubeconfig, or mend this one (kubectl config view)",
  });
}

function tokenOf(user: User, path: string): Access["token"] {
  if (user.token !== undefined) {
    const { token } = user;
    return () => Promise.resolve({ token });
  }
  if (user.tokenFile !== undefined) return tokenFile(resolve(dirname(path), user.tokenFile));
  if (user.exec) return execPlugin(user.exec, path);
  return () => Promise.resolve(undefined);
}

const pluginLimit = 60_000;

/** A program that gives credentials (client.authentication.k8s.io/v1), asked again when what it gave has expired. */
function execPlugin(plugin: ExecPlugin, config: string): Access["token"] {
  let known: { credential: ExecCredential; until: number } | undefined;
  let running: Promise<ExecCredential> | undefined;
  const ask = async (): Promise<ExecCredential> => {
    const answer = await runPlugin(plugin, config);
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = answer.status ?? {};
    if (token === undefined && clientCertificateData === undefined) {
      throw bad(config, `${plugin.command} gave neither a token nor a certificate`);
    }
    const credential = {
      ...(token === undefined ? {} : { token }),
      ...(clientCertificateData === undefined ? {} : { cert: clientCertificateData }),
      ...(clientKeyData === undefined ? {} : { key: clientKeyData }),
    };
    // A little early: a request takes its time too.
    const until = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp) - 10_000;
    known = { credential, until };
    return credential;
  };
  return async (renew) => {
    if (known && renew !== true && Date.now() < known.until) return known.credential;
    running ??= ask().finally(() => (running = undefined));
    return running;
  };
}

interface PluginAnswer {
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

async function runPlugin(plugin: ExecPlugin, config: string): Promise<PluginAnswer> {
  const { apiVersion, command, args, env } = plugin;
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec: { interactive: false } });
  const program = command.includes("/") ? resolve(dirname(config), command) : command;
  const child = spawn(program, args ?? [], {
    env: {
      ...process.env,
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: info,
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: pluginLimit,
  });
  const ended = new Promise<number | null>((done, fail) => child.on("error", fail).on("close", done));
  try {
    const [output, problem, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (status !== 0) throw new Error(problem.trim().slice(0, 300) || `it ended with ${status ?? "a signal"}`);
    return JSON.parse(output) as PluginAnswer;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw bad(config, `the credential program ${command} failed: ${reason}`, error);
  }
}
