import { RuntimeError } from "./error.ts";
import { openService } from "./grpc.ts";

/** The blobs of containerd's images, by digest. Fits what the image package calls a content store. */
export function openContainerdContent(
  socket: string,
  namespace: string,
): AsyncDisposable & { readBlob(digest: string): Promise<AsyncIterable<Uint8Array>> } {
  const content = openService(socket, "containerd-content.proto", "containerd.services.content.v1.Content");
  const stopping = new AbortController();

  async function* read(digest: string): AsyncGenerator<Uint8Array> {
    const headers = { "containerd-namespace": namespace };
    const answers = content.stream<{ data: Buffer }>("Read", { digest, offset: 0, size: 0 }, headers, stopping.signal);
    for await (const { data } of answers) yield data;
    if (stopping.signal.aborted) throw new RuntimeError("failed", `${digest}: reading was broken off`);
  }

  return {
    readBlob: async (digest) => read(digest),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      content[Symbol.dispose]();
    },
  };
}
