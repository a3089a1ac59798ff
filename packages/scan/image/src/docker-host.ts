import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText, systemCode } from "@bulwark/model/plain";
import { ImageError } from "./error.ts";
import { object, optional, read, text } from "./shape.ts";

/** Where a daemon of Docker or Podman listens. */
export interface DockerHost {
  /** As messages call it: a path, `tcp://build:2376`. */
  name: string;
  /** Nobody beyond this machine is asked. */
  local: boolean;
  /** What a request needs to reach it. */
  reach: { socketPath: string } | ({ host: string; port: number } & { tls: Tls | undefined });
}

/** PEM; what is missing is not used. */
interface Tls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/**
 * The daemons to ask, in order: the one of `DOCKER_HOST`, else of the context that `DOCKER_CONTEXT` or Docker's
 * configuration names, else the sockets of Docker and Podman that are there. Raises `ImageError` for an address that is none.
 * https://docs.docker.com/reference/cli/docker/#environment-variables
 */
export function dockerHosts(environment: NodeJS.ProcessEnv = process.env): DockerHost[] {
  const { DOCKER_HOST: named, XDG_RUNTIME_DIR: runtime } = environment;
  if (named) return [hostOf(named, tlsOfEnvironment(environment))];
  const context = contextOf(environment);
  if (context) return [context];
  const places = [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    ...(runtime ? [`${runtime}/podman/podman.sock`] : []),
  ];
  return places.filter((path) => existsSync(path)).map(dockerSocket);
}

export function dockerSocket(socketPath: string): DockerHost {
  return { name: socketPath, local: true, reach: { socketPath } };
}

/** `tls` where the connection is to be encrypted, whatever the address says. */
function hostOf(address: string, tls: Tls | undefined): DockerHost {
  if (address.startsWith("unix://")) return dockerSocket(address.slice("unix://".length));
  const url = /^(?:tcp|https?):\/\//.test(address) && URL.canParse(address) ? new URL(address) : undefined;
  // A browser's default ports are no daemon's: 2375 without encryption, 2376 with it.
  const port = /:(\d+)\/?$/.exec(address)?.[1];
  if (!url || url.hostname === "" || (url.pathname !== "/" && url.pathname !== "")) {
    throw new ImageError("unreachable", `DOCKER_HOST ${address}: no address of a daemon that can be asked`, {
      remedy: "unix:///var/run/docker.sock or tcp://HOST:2376; through ssh, forward the socket with ssh -L",
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const encrypted = tls ?? (url.protocol === "https:" ? {} : undefined);
  return {
    name: address,
    local: /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host),
    reach: { host, port: Number(port ?? (encrypted ? 2376 : 2375)), tls: encrypted },
  };
}

/** Encrypted where either variable says so; and then the daemon's certificate is always verified. */
function tlsOfEnvironment(environment: NodeJS.ProcessEnv): Tls | undefined {
  const { DOCKER_TLS_VERIFY: verify, DOCKER_CERT_PATH: folder } = environment;
  if (!verify && !folder) return undefined;
  return certificatesIn(folder || configFolder(environment));
}

function contextOf(environment: NodeJS.ProcessEnv): DockerHost | undefined {
  const folder = configFolder(environment);
  const name = environment["DOCKER_CONTEXT"] || currentContext(join(folder, "config.json"));
  if (!name || name === "default") return undefined;
  const id = createHash("sha256").update(name).digest("hex");
  const file = join(folder, "contexts/meta", id, "meta.json");
  const address = read(jsonIn(file), (value) => text(object(object(object(value)["Endpoints"])["docker"])["Host"]));
  if (address === undefined) {
    throw new ImageError("unreachable", `Docker's context ${name} has no address in ${file}`, {
      remedy: "docker context ls; or say where in DOCKER_HOST",
    });
  }
  const certificates = join(folder, "contexts/tls", id, "docker");
  return hostOf(address, existsSync(certificates) ? certificatesIn(certificates) : undefined);
}

function currentContext(file: string): string | undefined {
  return read(jsonIn(file), (value) => optional(text)(object(value)["currentContext"])) ?? undefined;
}

function configFolder(environment: NodeJS.ProcessEnv): string {
  return environment["DOCKER_CONFIG"] || join(environment["HOME"] || homedir(), ".docker");
}

function certificatesIn(folder: string): Tls {
  const pem = (name: string): Buffer | undefined => {
    try {
      return readFileSync(join(folder, name));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw new ImageError("denied", `${join(folder, name)}: ${errorText(error)}`, { cause: error });
    }
  };
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(pem);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** Undefined where it is not there, or no JSON: then it names no daemon. */
function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
