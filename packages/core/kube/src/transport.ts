import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Access, ExecCredential } from "./credentials.ts";
import { systemCode } from "@bulwark/model";
import { KubeError, statusError, unreachable, type Status } from "./error.ts";

export type Query = Readonly<Record<string, boolean | number | string | undefined>>;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the answer's head must be there; 30 seconds unless told. */
  readonly timeout?: number;
  /** For messages: `list pods in shop`. */
  readonly what: string;
}

export interface Transport {
  readonly access: Access;
  /** The answer, whose status is below 300. Raises a `KubeError` for all others. */
  send(call: Call): Promise<IncomingMessage>;
  /** Its body as JSON; `limit` in bytes. */
  json(call: Call, limit?: number): Promise<unknown>;
  /** What a connection of another kind (a WebSocket) needs. */
  tls(): Promise<{ headers: Record<string, string>; options: TlsOptions }>;
  close(): void;
}

interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
}

const answerTimeout = 30_000;
/** A page of 500 of the largest objects that etcd takes would be more; what is larger than this is not read. */
const maxBody = 256 * 2 ** 20;
const maxStatus = 2 ** 20;

/** Requests of one set of credentials, over connections that are kept. */
export function createTransport(access: Access): Transport {
  let agent: HttpAgent | HttpsAgent | undefined;
  let certificate: string | undefined;
  const secure = access.server.startsWith("https:");

  const tlsOptions = (credential: ExecCredential | undefined): TlsOptions => {
    const cert = credential?.cert ?? access.cert;
    const key = credential?.key ?? access.key;
    return {
      ...(access.ca === undefined ? {} : { ca: access.ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
      ...(access.insecure === true ? { rejectUnauthorized: false } : {}),
    };
  };
  const agentFor = (credential: ExecCredential | undefined): HttpAgent | HttpsAgent => {
    const options = tlsOptions(credential);
    if (agent && certificate === options.cert) return agent;
    agent?.destroy();
    certificate = options.cert;
    agent = secure ? new HttpsAgent({ keepAlive: true, ...options }) : new HttpAgent({ keepAlive: true });
    return agent;
  };
  const headersFor = (credential: ExecCredential | undefined): Record<string, string> => {
    if (credential?.token !== undefined) return { authorization: `Bearer ${credential.token}` };
    if (!access.basic) return {};
    const { username, password } = access.basic;
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
  };

  const once = async (call: Call, renew: boolean): Promise<IncomingMessage> => {
    const credential = await access.token(renew);
    const url = new URL(access.server + call.path);
    for (const [key, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined && value !== false) url.searchParams.set(key, String(value));
    }
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = {
      accept: "application/json",
      "user-agent": "bulwark",
      ...headersFor(credential),
      ...(body === undefined
        ? {}
        : { "content-type": call.contentType ?? "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const response = await open(secure ? httpsRequest : httpRequest, url, {
      ...{ method: call.method, headers, agent: agentFor(credential), body, call },
    });
    if ((response.statusCode ?? 0) < 300) return response;
    throw await problemOf(call, access.server, response);
  };

  const send = async (call: Call): Promise<IncomingMessage> => {
    try {
      return await once(call, false);
    } catch (error) {
      // A token may have been rotated, or have ended before it said it would.
      if (!(error instanceof KubeError) || error.code !== "unauthorized" || access.cert !== undefined) throw error;
      return once(call, true);
    }
  };

  return {
    access,
    send,
    async json(call, limit = maxBody) {
      const response = await send(call);
      return parseBody(call, await readBody(call, access.server, response, limit));
    },
    async tls() {
      const credential = await access.token();
      return { headers: headersFor(credential), options: tlsOptions(credential) };
    },
    close: () => agent?.destroy(),
  };
}

interface Opening {
  method: string;
  headers: Record<string, number | string>;
  agent: HttpAgent | HttpsAgent;
  body: string | undefined;
  call: Call;
}

/** Connections that a server has closed meanwhile: so many in turn are passed over, and no more. */
const mostStale = 8;

/** A server closes connections that nobody uses; where it does so as a question comes, a question that only reads is asked anew. */
async function open(request: typeof httpsRequest, url: URL, opening: Opening, stale = 0): Promise<IncomingMessage> {
  const { method, headers, agent, body, call } = opening;
  return new Promise((done, fail) => {
    const signal = call.signal;
    const sent = request(url, { method, headers, agent, ...(signal ? { signal } : {}) });
    const limit = call.timeout ?? answerTimeout;
    const timer = setTimeout(() => sent.destroy(new Error(`no answer for ${limit / 1000} s`)), limit);
    sent.on("response", (response) => {
      clearTimeout(timer);
      done(response);
    });
    sent.on("error", (error) => {
      clearTimeout(timer);
      if (method === "GET" && sent.reusedSocket && systemCode(error) === "ECONNRESET" && stale < mostStale) {
        return done(open(request, url, opening, stale + 1));
      }
      fail(call.signal?.aborted === true ? error : unreachable(call.what, url.origin, error));
    });
    sent.end(body);
  });
}

async function problemOf(call: Call, server: string, response: IncomingMessage): Promise<KubeError> {
  const header = response.headers["retry-after"];
  const status = response.statusCode ?? 0;
  try {
    const body = await readBody(call, server, response, maxStatus);
    const parsed = JSON.parse(body) as Status & { kind?: string };
    return statusError(call.what, parsed.kind === "Status" ? parsed : {}, status, header);
  } catch {
    return statusError(call.what, {}, status, header);
  }
}

async function readBody(call: Call, server: string, response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  response.setTimeout(answerTimeout, () => response.destroy(new Error(`silent for ${answerTimeout / 1000} s`)));
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) {
        response.destroy();
        throw new KubeError("too-large", `${call.what}: the answer is larger than ${limit} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof KubeError) throw error;
    if (call.signal?.aborted === true) throw error;
    throw unreachable(call.what, server, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseBody(call: Call, body: string): unknown {
  try {
    return body === "" ? undefined : JSON.parse(body);
  } catch (error) {
    throw new KubeError("bad-response", `${call.what}: the answer is no JSON`, { cause: error });
  }
}
