import { RuntimeError } from "./error.ts";
import { openService } from "./grpc.ts";
import { within } from "./wait.ts";

/** Between two pieces of a blob; containerd reads from its own disk. */
const pieceTimeout = 30_000;

/**
 * The blobs of containerd's images, by digest: what the image package calls a content store. With a container's
 * `image.digest` it gives the manifest, and with that configuration and layers. `readBlob` and the reading itself raise
 * `RuntimeError`: `absent` when containerd does not have the blob, as with `discard_unpacked_layers`. The bytes are not
 * checked against the digest here.
 */
export function openContainerdContent(
  socket: string,
  namespace: string,
): AsyncDisposable & { readBlob(digest: string): Promise<AsyncIterable<Uint8Array>> } {
  const content = openService(socket, "containerd-content.proto", "containerd.services.content.v1.Content");
  const headers = { "containerd-namespace": namespace };
  const closing = new AbortController();

  async function* read(digest: string): AsyncGenerator<Uint8Array> {
    const stopping = new AbortController();
    const signal = AbortSignal.any([closing.signal, stopping.signal]);
    const answers = content.stream<{ data: Buffer }>("Read", { digest, offset: 0, size: 0 }, headers, signal);
    const pieces = answers[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await within(pieceTimeout, `${socket}: ${digest}`, pieces.next());
        if (piece.done === true) break;
        yield piece.value.data;
      }
      if (closing.signal.aborted) throw new RuntimeError("failed", `${digest}: reading was broken off`);
    } finally {
      stopping.abort();
    }
  }

  return {
    async readBlob(digest) {
      await content.call("Info", { digest }, headers);
      return read(digest);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      content[Symbol.dispose]();
    },
  };
}
