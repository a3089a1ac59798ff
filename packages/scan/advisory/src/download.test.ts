import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { download } from "./download.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-download-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<AsyncDisposable & { address: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return {
    address: `http://127.0.0.1:${address.port}/file`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Once the first 4000 bytes have arrived. */
async function breakOff(response: ServerResponse, file: string): Promise<void> {
  while (statSync(`${file}.part`, { throwIfNoEntry: false })?.size !== 4000) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  response.destroy();
}

const body = Buffer.from("0123456789".repeat(1000));

test("a download that breaks off goes on where it was, and the whole is right", async () => {
  const file = join(folder, "resumed");
  const asked: (string | undefined)[] = [];
  await using server = await serve((request, response) => {
    asked.push(request.headers.range);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const whole = { etag: '"a"', "content-length": body.length - start };
    if (start > 0) {
      assert.equal(request.headers["if-range"], '"a"');
      response.writeHead(206, { ...whole, "content-range": `bytes ${start}-${body.length - 1}/${body.length}` });
      return response.end(body.subarray(start));
    }
    response.writeHead(200, whole);
    response.write(body.subarray(0, 4000));
    return breakOff(response, file);
  });
  assert.equal(await download(server.address, file), "");
  assert.deepEqual(await readFile(file), body);
  assert.deepEqual(asked, [undefined, "bytes=4000-"]);
  assert.equal(existsSync(`${file}.part`), false);
});

test("what has changed meanwhile is loaded anew, not put together of two", async () => {
  const file = join(folder, "changed");
  let first = true;
  const other = Buffer.from("other".repeat(1000));
  await using server = await serve((_request, response) => {
    if (!first) return response.writeHead(200, { etag: '"b"', "content-length": other.length }).end(other);
    first = false;
    response.writeHead(200, { etag: '"a"', "content-length": body.length });
    response.write(body.subarray(0, 4000));
    return breakOff(response, file);
  });
  assert.equal(await download(server.address, file), "");
  assert.deepEqual(await readFile(file), other);
});

test("unchanged by its date is not sent again; a refusal is said and keeps the copy", async () => {
  const since = "Wed, 21 Oct 2026 07:28:00 GMT";
  let answers = 0;
  await using server = await serve((request, response) => {
    answers++;
    if (answers === 3) return response.writeHead(403).end();
    if (request.headers["if-modified-since"] === since) return response.writeHead(304).end();
    return response.writeHead(200, { "last-modified": since }).end(body);
  });
  const file = join(folder, "dated");
  assert.equal(await download(server.address, file), "");
  assert.equal(await download(server.address, file), "");
  assert.match(await download(server.address, file), /status 403/);
  assert.equal(answers, 3);
  assert.deepEqual(await readFile(file), body);
});

test("a server that is busy is asked again when it says", async () => {
  let answers = 0;
  await using server = await serve((_request, response) => {
    answers++;
    if (answers === 1) return response.writeHead(429, { "retry-after": "0" }).end();
    return response.end(body);
  });
  assert.equal(await download(server.address, join(folder, "busy")), "");
  assert.equal(answers, 2);
});
