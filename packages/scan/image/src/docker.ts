import { createWriteStream, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { errorText, systemCode } from "@bulwark/model/plain";
import { openArchive, type ArchiveOptions } from "./archive.ts";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";

/** Milliseconds without a byte. */
const silenceLimit = 120_000;

/** Sockets of Docker and Podman that are there, `DOCKER_HOST` before others. */
export function dockerSockets(environment: NodeJS.ProcessEnv = process.env): string[] {
  const { DOCKER_HOST: named, XDG_RUNTIME_DIR: runtime } = environment;
  if (named?.startsWith("unix://") === true) return [named.slice("unix://".length)];
  const places = [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    ...(runtime ? [`${runtime}/podman/podman.sock`] : []),
  ];
  return places.filter((path) => existsSync(path));
}

/**
 * An image that a daemon of Docker or Podman has; undefined where it has none of that name. The daemon sends it as an
 * archive whose list of layers comes last: it is kept in a temporary file, as it is, until the tree is disposed of.
 * https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageGet
 */
export async function openDockerImage(
  socket: string,
  name: string,
  options: ArchiveOptions = {},
): Promise<FileTree | undefined> {
  const path = `/images/${encodeURIComponent(name)}`;
  // Asking for the image itself of one that is not there is answered with an error only after the archive has begun.
  const inspected = await ask(socket, `${path}/json`);
  inspected.resume();
  if (inspected.statusCode === 404) return undefined;
  const answer = await ask(socket, `${path}/get`);
  if (answer.statusCode !== 200) {
    answer.resume();
    throw new ImageError("unreachable", `${socket}: ${name}: status ${String(answer.statusCode)}`);
  }
  const folder = await mkdtemp(join(tmpdir(), "bulwark-image-"));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "image.tar");
    await pipeline(answer, createWriteStream(file, { mode: 0o600 }));
    const tree = await openArchive(file, options);
    return { ...tree, name, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    if (error instanceof ImageError) throw error;
    const remedy =
      systemCode(error) === "ENOSPC" ? `make room in ${tmpdir()}, or name another folder in TMPDIR` : "try again";
    throw new ImageError("unreachable", `${socket}: ${name}: ${errorText(error)}`, { remedy, cause: error });
  }
}

async function ask(socket: string, path: string): Promise<IncomingMessage> {
  // Loaded here, because it takes as long as opening an archive does.
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, path, agent: false, headers: { host: "localhost" } }, resolve);
    call.setTimeout(silenceLimit, () => call.destroy(new Error(`no answer within ${silenceLimit / 1000} s`)));
    call.on("error", (error) => {
      const denied = systemCode(error) === "EACCES";
      reject(
        new ImageError(denied ? "denied" : "unreachable", `${socket}: ${errorText(error)}`, {
          remedy: denied ? "run as a user that may talk to the daemon" : "look whether the daemon runs",
          cause: error,
        }),
      );
    });
    call.end();
  });
}
