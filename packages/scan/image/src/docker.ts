import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { errorText, systemCode } from "@bulwark/model/plain";
import { openArchive, type ArchiveOptions } from "./archive.ts";
import { dockerSocket, type DockerHost } from "./docker-host.ts";
import { ImageError } from "./error.ts";
import type { FileTree } from "./image.ts";

/** Milliseconds without a byte. */
const silenceLimit = 120_000;

/**
 * An image that a daemon of Docker or Podman has, at a socket or elsewhere; undefined where it has none of that name. The daemon sends it as an
 * archive whose list of layers comes last: it is kept in a temporary file, as it is, until the tree is disposed of.
 * https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageGet
 */
export async function openDockerImage(
  daemon: DockerHost | string,
  name: string,
  options: ArchiveOptions = {},
): Promise<FileTree | undefined> {
  const host = typeof daemon === "string" ? dockerSocket(daemon) : daemon;
  const path = `/images/${encodeURIComponent(name)}`;
  // Asking for the image itself of one that is not there is answered with an error only after the archive has begun.
  const inspected = await ask(host, `${path}/json`);
  inspected.resume();
  if (inspected.statusCode === 404) return undefined;
  const answer = await ask(host, `${path}/get`);
  if (answer.statusCode !== 200) {
    answer.resume();
    throw new ImageError("unreachable", `${host.name}: ${name}: status ${String(answer.statusCode)}`);
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
    throw new ImageError("unreachable", `${host.name}: ${name}: ${errorText(error)}`, { remedy, cause: error });
  }
}

async function ask({ name, reach }: DockerHost, path: string): Promise<IncomingMessage> {
  // Loaded here, because it takes as long as opening an archive does.
  const { tls, ...place } = { tls: undefined, ...reach };
  const { request } = tls ? await import("node:https") : await import("node:http");
  const host = "host" in place ? place.host : "localhost";
  return new Promise((resolve, reject) => {
    const call = request({ ...place, ...tls, path, agent: false, headers: { host } }, resolve);
    call.setTimeout(silenceLimit, () => call.destroy(new Error(`no answer within ${silenceLimit / 1000} s`)));
    call.on("error", (error) => {
      const denied = systemCode(error) === "EACCES";
      reject(
        new ImageError(denied ? "denied" : "unreachable", `${name}: ${errorText(error)}`, {
          remedy: denied ? "run as a user that may talk to the daemon" : "look whether the daemon runs",
          cause: error,
        }),
      );
    });
    call.end();
  });
}
