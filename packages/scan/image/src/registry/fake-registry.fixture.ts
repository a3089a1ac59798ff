import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry with one image, that tests can make behave badly. */
export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:1234` */
  host: string;
  layer: Buffer;
  digests: { layer: string; manifest: string };
  /** What was asked, in order: `GET /v2/…`. */
  asked: string[];
  /** Answers in place of the registry where it returns true. */
  before: (request: IncomingMessage, response: ServerResponse) => boolean;
  put(data: Buffer | object): { digest: string; size: number };
}

export async function fakeRegistry(layer: Buffer): Promise<FakeRegistry> {
  const blobs = new Map<string, Buffer>();
  const put = (data: Buffer | object): { digest: string; size: number } => {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(JSON.stringify(data));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const layerAt = put(layer);
  const manifest = put({ schemaVersion: 2, config: put({ architecture: "amd64", os: "linux" }), layers: [layerAt] });
  const server = createServer((request, response) => {
    registry.asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
    if (registry.before(request, response)) return;
    const [, kind, name = ""] = /^\/v2\/shop\/web\/(manifests|blobs)\/(.+)$/.exec(request.url ?? "") ?? [];
    const data = kind === undefined ? undefined : blobs.get(name === "1" ? manifest.digest : name);
    if (!data) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": data.length - from }).end(data.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry: FakeRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    layer,
    digests: { layer: layerAt.digest, manifest: manifest.digest },
    asked: [],
    before: () => false,
    put,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}
