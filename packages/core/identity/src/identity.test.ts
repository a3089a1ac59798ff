import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import {
  createAuthority,
  createJoinToken,
  createRequest,
  fingerprintOf,
  formatJoinToken,
  lifeOf,
  openAuthority,
  parseJoinToken,
  seal,
  serverName,
  unseal,
  type KeyPair,
} from "./index.ts";

const now = Date.now();

test("an agent and a server of one authority take each other; everybody else is nobody", async () => {
  const authority = await openAuthority(await createAuthority(now));
  const stranger = await openAuthority(await createAuthority(now));
  const server = await authority.issueServer(now);
  const agent = await agentOf(authority);
  assert.equal(await talk(authority.certificate, server, agent, authority.certificate), "agent taken");
  assert.equal(await talk(authority.certificate, server, undefined, authority.certificate), "agent refused");
  assert.equal(
    await talk(authority.certificate, server, await agentOf(stranger), authority.certificate),
    "agent refused",
  );
  // Neither the server of another authority, nor an agent that plays the server.
  for (const false_ of [await stranger.issueServer(now), agent]) {
    assert.match(await talk(authority.certificate, false_, agent, authority.certificate), /^server refused/);
  }
  // Nor a server that plays an agent.
  assert.equal(await talk(authority.certificate, server, server, authority.certificate), "agent refused");
});

test("a certificate names its node, ends when it says, and is renewed half-way", async () => {
  const authority = await openAuthority(await createAuthority(now));
  const { request } = await createRequest();
  const issued = await authority.issueAgent(request, { node: "worker-1", cluster: "east" }, 7, now);
  const certificate = new X509Certificate(issued.certificate);
  assert.match(certificate.subject, /CN=worker-1/);
  assert.equal(certificate.subjectAltName, "URI:bulwark://east/worker-1");
  assert.equal(issued.fingerprint, certificate.fingerprint256.replaceAll(":", "").toLowerCase());
  const { expiresAt, renewAt } = lifeOf(issued.certificate);
  assert.equal(expiresAt, issued.expiresAt);
  assert.ok(Math.abs(renewAt - (now + 3.5 * 86_400_000)) < 2000);
  // The same key gives the same hash, so that a lost answer can be asked for again.
  const again = await authority.issueAgent(request, { node: "worker-1", cluster: "east" }, 7, now);
  assert.equal(again.publicKey, issued.publicKey);
  assert.notEqual(again.fingerprint, issued.fingerprint);
});

test("what is no request, or was changed after it was signed, is refused", async () => {
  const authority = await openAuthority(await createAuthority(now));
  const { request } = await createRequest();
  const ask = async (text: string): Promise<unknown> => authority.issueAgent(text, { node: "a", cluster: "b" }, 7, now);
  await assert.rejects(ask("nothing"), { code: "bad-request" });
  const lines = request.split("\n");
  const bytes = Buffer.from(lines.slice(1, -1).join("").replace(/-.*/, ""), "base64");
  bytes[bytes.length - 4] = (bytes[bytes.length - 4] ?? 0) ^ 1;
  const changed = `${lines[0] ?? ""}\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----`;
  await assert.rejects(ask(changed), { code: "bad-request" });
});

test("a join token goes to text and back; a cut or mistyped one is told at once", () => {
  const token = createJoinToken("ab".repeat(32));
  const text = formatJoinToken(token);
  assert.deepEqual(parseJoinToken(`${text}\n`), token);
  for (const wrong of ["", text.slice(0, -1), text.replace(/.$/, (last) => (last === "0" ? "1" : "0")), "blwj_x"]) {
    assert.throws(() => parseJoinToken(wrong), { code: "bad-token" });
  }
});

test("what is sealed opens with its secret and for its purpose only", () => {
  const sealed = seal("private", "a secret of the replicas", "the authority");
  assert.ok(!sealed.includes("private"));
  assert.equal(unseal(sealed, "a secret of the replicas", "the authority"), "private");
  assert.throws(() => unseal(sealed, "another", "the authority"), { code: "sealed" });
  assert.throws(() => unseal(sealed, "a secret of the replicas", "something else"), { code: "sealed" });
  assert.throws(() => unseal(`${sealed.slice(0, -6)}AAAAAA`, "a secret of the replicas", "the authority"), {
    code: "sealed",
  });
});

async function agentOf(authority: Awaited<ReturnType<typeof openAuthority>>): Promise<KeyPair> {
  const { key, request } = await createRequest();
  const { certificate } = await authority.issueAgent(request, { node: "worker-1", cluster: "east" }, 7, now);
  assert.equal(fingerprintOf(certificate).length, 64);
  return { key, certificate };
}

/** One handshake as the product does it: the server asks for a certificate and decides itself what it is worth. */
async function talk(ca: string, server: KeyPair, client: KeyPair | undefined, trusted: string): Promise<string> {
  const options: TlsOptions = {
    cert: server.certificate,
    key: server.key,
    ca,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  };
  const listener = createServer(options, (socket) => {
    socket.on("error", () => undefined);
    socket.end(socket.authorized ? "agent taken" : "agent refused");
  });
  listener.on("tlsClientError", () => undefined);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  try {
    const socket: TLSSocket = connect({
      port,
      host: "127.0.0.1",
      servername: serverName,
      ca: trusted,
      ...(client && { cert: client.certificate, key: client.key }),
    });
    return await new Promise((resolve) => {
      socket.on("data", (chunk) => resolve(chunk.toString()));
      socket.on("error", (error) => resolve(`server refused: ${error.message}`));
    });
  } finally {
    listener.close();
  }
}
