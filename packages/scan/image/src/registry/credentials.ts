import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorText, systemCode } from "@bulwark/model/plain";
import { z } from "zod";
import { ImageError } from "../error.ts";

/** Who asks a registry. `token` is an identity token: it is exchanged for others, and never shown to the registry. */
export type Credentials = { username: string; password: string } | { token: string };

const entry = z.object({
  auth: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
  identitytoken: z.string().nullish(),
});
/** https://docs.docker.com/reference/cli/docker/#configuration-files, and Podman's auth.json, which has the same form. */
const document = z.object({
  auths: z.record(z.string(), entry).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});
type Document = z.infer<typeof document>;

const helperTimeout = 30_000;

/**
 * What the files of Docker and Podman know of a registry, their credential helpers asked as well. Undefined where nothing
 * is known: then it is asked without a name. Raises `ImageError` for a file or a helper that is broken.
 */
export async function findCredentials(
  registry: string,
  repository: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  for (const path of places(environment)) {
    const found = await readDocument(path);
    const credentials = found ? await fromDocument(found, path, registry, repository) : undefined;
    if (credentials) return credentials;
  }
  return undefined;
}

function places(environment: NodeJS.ProcessEnv): string[] {
  const { DOCKER_CONFIG: docker, REGISTRY_AUTH_FILE: podman, XDG_RUNTIME_DIR: runtime } = environment;
  if (podman) return [podman];
  if (docker) return [join(docker, "config.json")];
  const home = environment["HOME"] || homedir();
  return [
    join(home, ".docker/config.json"),
    ...(runtime ? [join(runtime, "containers/auth.json")] : []),
    join(home, ".config/containers/auth.json"),
  ];
}

async function readDocument(path: string): Promise<Document | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new ImageError("denied", `${path}: ${errorText(error)}`, { remedy: "make the file readable", cause: error });
  }
  try {
    return document.parse(JSON.parse(text));
  } catch (error) {
    throw new ImageError("broken", `${path} is no configuration of Docker`, {
      remedy: "mend or remove it",
      cause: error,
    });
  }
}

async function fromDocument(
  { auths, credHelpers, credsStore }: Document,
  path: string,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  const names = keysOf(registry, repository);
  const helper = names.map((name) => credHelpers?.[name]).find((name) => name !== undefined);
  if (helper !== undefined) return askHelper(helper, registry);
  for (const name of names) {
    const found = Object.entries(auths ?? {}).find(([key]) => withoutScheme(key) === name)?.[1];
    const credentials = found ? fromEntry(found, path) : undefined;
    if (credentials) return credentials;
  }
  return credsStore ? askHelper(credsStore, registry) : undefined;
}

/** Podman's files may name a repository or what is above it; Docker Hub has a name of old. */
function keysOf(registry: string, repository: string): string[] {
  const parts = repository.split("/");
  const paths = parts.map((_, at) => `${registry}/${parts.slice(0, parts.length - at).join("/")}`);
  return [...paths, registry, ...(registry === "docker.io" ? ["index.docker.io/v1", "index.docker.io"] : [])];
}

function withoutScheme(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

function fromEntry(
  { auth, username, password, identitytoken }: z.infer<typeof entry>,
  path: string,
): Credentials | undefined {
  if (identitytoken) return { token: identitytoken };
  if (username && password) return { username, password };
  if (!auth) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw new ImageError("broken", `${path}: an entry of "auths" has no user and password`);
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

/** https://github.com/docker/docker-credential-helpers: `get` with the server's address, JSON comes back. */
async function askHelper(name: string, registry: string): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name))
    throw new ImageError("broken", `credential helper ${JSON.stringify(name)}: no such name`);
  const program = `docker-credential-${name}`;
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  const output = await new Promise<string | undefined>((resolve, reject) => {
    const child = execFile(program, ["get"], { timeout: helperTimeout }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      // The helper's own words for "nothing is known".
      if (/credentials not found/i.test(stdout + stderr)) return resolve(undefined);
      reject(
        new ImageError("denied", `${program} could not tell the credentials of ${registry}: ${errorText(error)}`, {
          remedy: `run "echo ${server} | ${program} get" to see why`,
          cause: error,
        }),
      );
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(server);
  });
  if (output === undefined) return undefined;
  try {
    const { Username, Secret } = z.object({ Username: z.string(), Secret: z.string() }).parse(JSON.parse(output));
    if (Username === "" && Secret === "") return undefined;
    return Username === "<token>" ? { token: Secret } : { username: Username, password: Secret };
  } catch (error) {
    // Not the cause's text: it may quote the secret.
    throw new ImageError("broken", `${program} answered with no credentials`, { cause: error });
  }
}
