import { X509Certificate } from "node:crypto";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { connect } from "node:tls";
import { createRequest, serverName } from "@bulwark/identity";

export interface TestAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** An agent of another machine, without anything to watch: it joins, and sends what a test gives it. */
export interface TestAgent {
  readonly node: string;
  readonly certificate: string;
  readonly key: string;
  /** To the server that it joined at, or to another one of the same control plane. */
  post(path: string, body: object, server?: string): Promise<TestAnswer>;
  send(first: number, records: readonly object[], server?: string): Promise<TestAnswer>;
}

/** Joins `server` (the address for agents) with a token of `bulwark join`. Raises what the server refuses. */
export async function joinAgent(server: string, token: string, node: string): Promise<TestAgent> {
  const { key, request } = await createRequest();
  const answer = await joinWith(server, token, node, request);
  if (answer.status !== 200) throw new Error(`refused: ${answer.status} ${JSON.stringify(answer.body)}`);
  const certificate = String(answer.body["certificate"]);
  const authority = await authorityOf(server);
  const post = async (path: string, body: object, at = server): Promise<TestAnswer> =>
    postTls(at, path, body, { ca: authority, cert: certificate, key });
  return {
    node,
    certificate,
    key,
    post,
    send: async (first, records, at) =>
      post("/api/agent/v1/records", { node, spool: `spool-of-${node}`, first, records }, at),
  };
}

/** One try to join; the answer, whatever it is. */
export async function joinWith(server: string, token: string, node: string, request: string): Promise<TestAnswer> {
  return postTls(server, "/api/agent/v1/enrol", { token, node, request }, { ca: await authorityOf(server) });
}

/** A call on a connection of its own, with these TLS options. */
export async function postTls(server: string, path: string, body: object, tls: RequestOptions): Promise<TestAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      new URL(path, server),
      {
        method: "POST",
        agent: false,
        servername: serverName,
        headers: { "content-type": "application/json", "content-length": bytes.length },
        timeout: 10_000,
        ...tls,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text || "{}") as Record<string, unknown> });
        });
      },
    );
    call.on("timeout", () => call.destroy(new Error("no answer within 10 seconds")));
    call.on("error", reject);
    call.end(bytes);
  });
}

/** A test trusts whoever answers; the agent does not. */
async function authorityOf(server: string): Promise<string> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), servername: serverName, rejectUnauthorized: false });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(new X509Certificate(socket.getPeerCertificate(true).issuerCertificate.raw).toString());
      socket.end();
    });
  });
}
