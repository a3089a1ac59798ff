import { lookup } from "node:dns";
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import type { LookupFunction } from "node:net";
import { serverName } from "@bulwark/identity";
import { systemCode } from "@bulwark/model";
import { NodeIdentity, type Identity, type Ticket } from "./identity.ts";
import type { Keeper } from "./keeper.ts";

/** How this node shows who it is. */
export type Credentials =
  /** The agent of the server's own machine: a token over loopback. `certificate` is the server's, where it has https. */
  | { kind: "token"; token: string; certificate?: string | undefined }
  /** Any other: a client certificate, got for a join token. */
  | { kind: "certificate"; keeper: Keeper; node: string; ticket(): Promise<Ticket | undefined> };

export interface ConnectionOptions {
  /** Addresses of the control plane. */
  servers: readonly string[];
  credentials: Credentials;
}

export interface Answer {
  status: number;
  body: unknown;
}

export interface Sending {
  body: Uint8Array;
  encoding?: "gzip" | undefined;
}

/** A server that takes longer to begin is passed over. */
const connectTime = 3000;
/** A server that says nothing for so long is passed over, so that another has the batch within ten seconds. */
const answerTime = 7000;
const answerLimit = 1_000_000;
/** Answers of a server that goes, or of what stands before it: another may take it. */
const elsewhere = new Set([502, 503, 504]);

/** Calls of the control plane. One that is silent is passed over for the next, and that one is stayed with. */
export class Connection {
  readonly #servers: readonly string[];
  readonly #credentials: Credentials;
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: 2 });
  #secure: { identity: Identity | undefined; agent: HttpsAgent } | undefined;
  #identity: Promise<NodeIdentity> | undefined;
  #current = 0;

  constructor({ servers, credentials }: ConnectionOptions) {
    this.#servers = servers;
    this.#credentials = credentials;
  }

  /** The server that was last reached, or is tried next. */
  get server(): string {
    return this.#servers[this.#current] ?? "";
  }

  /** Rejects where none of the servers answers, and with `JoinError` where this node is not let in. */
  async call(method: "GET" | "POST", path: string, sending?: Sending, signal?: AbortSignal): Promise<Answer> {
    let failure: unknown = new Error("no server is named");
    let last: Answer | undefined;
    for (let tries = 0; tries < this.#servers.length; tries++) {
      try {
        last = await this.#callOne(method, path, sending, signal);
        if (!elsewhere.has(last.status)) return last;
      } catch (error) {
        failure = error;
        if (signal?.aborted) break;
      }
      this.#current = (this.#current + 1) % this.#servers.length;
    }
    if (last) return last;
    throw failure;
  }

  close(): void {
    this.#plain.destroy();
    this.#secure?.agent.destroy();
  }

  async #callOne(method: string, path: string, sending: Sending | undefined, signal?: AbortSignal): Promise<Answer> {
    const { server } = this;
    const url = new URL(path, server);
    const headers: Record<string, string | number> = { accept: "application/json" };
    if (sending) {
      headers["content-type"] = "application/json";
      headers["content-length"] = sending.body.length;
      if (sending.encoding) headers["content-encoding"] = sending.encoding;
    }
    if (this.#credentials.kind === "token") headers["authorization"] = `Bearer ${this.#credentials.token}`;
    const options: RequestOptions = { method, headers, ...(signal && { signal }) };
    if (url.protocol === "http:") return exchange(httpRequest(url, { ...options, agent: this.#plain }), sending?.body);
    const agent = await this.#agentFor(server);
    try {
      const answer = await exchange(httpsRequest(url, { ...options, agent }), sending?.body);
      if (answer.status === 401) await this.#doubt();
      return answer;
    } catch (error) {
      if (/CERT|SIGNATURE/.test(systemCode(error) ?? "")) await this.#doubt();
      throw error;
    }
  }

  async #doubt(): Promise<void> {
    (await this.#identity)?.doubt();
  }

  /** The connections of the certificate that is held now. */
  async #agentFor(server: string): Promise<HttpsAgent> {
    const credentials = this.#credentials;
    if (credentials.kind === "token") {
      this.#secure ??= { identity: undefined, agent: await pinned(credentials.certificate) };
      return this.#secure.agent;
    }
    this.#identity ??= NodeIdentity.open({ ...credentials, call: callOnce });
    const identity = await (await this.#identity).current(server);
    if (this.#secure?.identity !== identity) {
      this.#secure?.agent.destroy();
      const { certificate: cert, key, authority: ca } = identity;
      const agent = new HttpsAgent({ keepAlive: true, maxSockets: 2, lookup: anyAddress, ...trusting(ca), cert, key });
      this.#secure = { identity, agent };
    }
    return this.#secure.agent;
  }
}

/**
 * A name of several addresses is that of several replicas. Agents spread over them, whatever order the resolver has, and
 * Node connects to the next address where one refuses, or says nothing for a quarter of a second.
 */
const anyAddress: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = (error ? [] : found)
      .map((address) => ({ address, turn: Math.random() }))
      .toSorted((a, b) => a.turn - b.turn)
      .map(({ address }) => address);
    if (options.all === true || error) callback(error, addresses);
    else callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
  });
};

/** A server of this authority, by whatever address it is reached. */
function trusting(ca: string): { ca: string; servername: string; minVersion: "TLSv1.3" } {
  return { ca, servername: serverName, minVersion: "TLSv1.3" };
}

/** The very certificate that the server of this machine shows, whatever names are in it. */
async function pinned(certificate: string | undefined): Promise<HttpsAgent> {
  if (certificate === undefined) throw new Error("an https address needs a join token, not a token of this machine");
  const ca = await readFile(certificate, "utf8");
  return new HttpsAgent({
    keepAlive: true,
    ca,
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  });
}

/** One call on a connection of its own. */
async function callOnce(
  server: string,
  path: string,
  body: object,
  { ca, ...own }: { ca: string; cert?: string; key?: string },
): Promise<Answer> {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = { "content-type": "application/json", "content-length": bytes.length };
  const request = httpsRequest(new URL(path, server), {
    method: "POST",
    headers,
    agent: false,
    ...trusting(ca),
    ...own,
  });
  return exchange(request, bytes);
}

async function exchange(request: ReturnType<typeof httpRequest>, body: Uint8Array | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const connecting = setTimeout(() => request.destroy(new Error("no connection within 3 seconds")), connectTime);
    const connected = (): void => clearTimeout(connecting);
    request.once("socket", (socket) => {
      if (!socket.connecting) connected();
      else socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    });
    request.setTimeout(answerTime, () => request.destroy(new Error("no answer within 7 seconds")));
    request.once("error", (error) => {
      connected();
      reject(error);
    });
    request.once("response", (response) => {
      connected();
      read(response).then(resolve, reject);
    });
    request.end(body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += (chunk as Buffer).length;
    if (length > answerLimit) throw new Error("the answer is too long");
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return { status: response.statusCode ?? 0, body: parse(text) };
}

/** Undefined where it is not the server's JSON: a proxy's page, say. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
