import { readdirSync, readFileSync } from "node:fs";
import type { Agent as HttpAgent, IncomingMessage } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { errorText } from "@bulwark/model/plain";
import { ImageError } from "../error.ts";

export interface Ask {
  method?: "GET" | "HEAD" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

/** Milliseconds without a byte. */
const silenceLimit = 60_000;
const redirectsFollowed = 5;
const attempts = 5;
/** What a registry may ask us to wait, in milliseconds: longer is an error that a person reads. */
const longestWait = 120_000;
/** Of an answer that is read whole. */
const textLimit = 4 * 1024 * 1024;

/** HTTP as registries need it: own authorities, proxies of the environment, redirects, waits that are asked for. */
export class RegistryHttp implements Disposable {
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();
  readonly #authorities: string[];

  /** `authorities`: certificates in PEM that are trusted beside the public ones. */
  constructor(authorities: string[]) {
    this.#authorities = authorities;
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  /**
   * The answer to a request, redirects followed, after as many attempts as a busy registry or a broken line takes. Its body
   * is to be read or destroyed. Raises `ImageError` `unreachable`.
   */
  async ask(url: string, ask: Ask = {}): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt++) {
      let answer: IncomingMessage;
      try {
        answer = await this.#follow(new URL(url), ask);
      } catch (error) {
        if (error instanceof ImageError) throw error;
        if (attempt >= attempts || isFinal(error)) throw unreachable(url, error);
        await wait(backOff(attempt));
        continue;
      }
      const status = answer.statusCode ?? 0;
      if (attempt >= attempts || (status !== 429 && status < 500)) return answer;
      const pause = waitAsked(answer) ?? backOff(attempt);
      if (pause > longestWait) return answer;
      answer.destroy();
      await wait(pause);
    }
  }

  async #follow(url: URL, ask: Ask): Promise<IncomingMessage> {
    let at = url;
    let headers = ask.headers ?? {};
    for (let hops = 0; hops <= redirectsFollowed; hops++) {
      const answer = await this.#once(at, { ...ask, headers });
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return answer;
      answer.destroy();
      const next = new URL(location, at);
      if (next.protocol !== "https:" && next.protocol !== at.protocol)
        throw new ImageError(
          "unreachable",
          `${at.host} sends us on to ${next.protocol}//${next.host}, without encryption`,
        );
      // Who we are is for the registry, not for where its blobs are.
      if (next.host !== at.host)
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
      at = next;
    }
    throw new ImageError("unreachable", `${url.host} sends us on and on`);
  }

  async #once(url: URL, { method = "GET", headers = {}, body }: Ask): Promise<IncomingMessage> {
    // Loaded here, because that takes longer than a scan that needs no registry.
    const { request } = await (url.protocol === "http:" ? import("node:http") : import("node:https"));
    const agent = await this.#agent(url);
    return new Promise((resolve, reject) => {
      const call = request(url, { method, headers: { "user-agent": "bulwark", ...headers }, agent }, resolve);
      call.setTimeout(silenceLimit, () => call.destroy(new Error(`no answer within ${silenceLimit / 1000} s`)));
      call.on("error", reject);
      call.end(body);
    });
  }

  async #agent(url: URL): Promise<HttpAgent | HttpsAgent> {
    const key = url.host + url.protocol;
    const agent = this.#agents.get(key) ?? (await newAgent(url, this.#authorities));
    this.#agents.set(key, this.#agents.get(key) ?? agent);
    return this.#agents.get(key) ?? agent;
  }
}

async function newAgent(url: URL, authorities: string[]): Promise<HttpAgent | HttpsAgent> {
  // Of Node's since 24.5, not of its types yet.
  const common = { keepAlive: true, proxyEnv: process.env };
  if (url.protocol === "http:") return new (await import("node:http")).Agent(common);
  const own = [...authorities, ...dockersAuthorities(url.host)];
  const { rootCertificates } = await import("node:tls");
  const { Agent } = await import("node:https");
  return new Agent({ ...common, ...(own.length > 0 ? { ca: [...rootCertificates, ...own] } : {}) });
}

/** The text of an answer. Raises `ImageError` `too-large`. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > textLimit) throw new ImageError("too-large", "an answer of more than 4 MB");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** https://docs.docker.com/engine/security/certificates/ */
function dockersAuthorities(host: string): string[] {
  const folder = join("/etc/docker/certs.d", host.replaceAll("/", ""));
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".crt"))
      .map((name) => readFileSync(join(folder, name), "utf8"));
  } catch {
    return [];
  }
}

/** Seconds or a date, RFC 9110 section 10.2.3. */
function waitAsked(answer: IncomingMessage): number | undefined {
  const text = answer.headers["retry-after"];
  if (text === undefined) return undefined;
  const pause = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(pause) ? undefined : Math.max(0, pause);
}

function backOff(attempt: number): number {
  return 250 * 2 ** attempt * (0.5 + Math.random());
}

/** What another attempt would not change. */
function isFinal(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(?:ENOTFOUND|ECONNREFUSED|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/.test(code);
}

function unreachable(url: string, error: unknown): ImageError {
  const { host } = new URL(url);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const remedy = /^(?:DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/.test(code)
    ? `if the certificate is of your own authority, name that with --ca FILE or in /etc/docker/certs.d/${host}`
    : /^(?:ERR_SSL|EPROTO)/.test(code)
      ? "if the registry has no encryption, say --plain-http"
      : "look at the name of the registry and at the network";
  return new ImageError("unreachable", `${host}: ${errorText(error) || code}`, { remedy, cause: error });
}
