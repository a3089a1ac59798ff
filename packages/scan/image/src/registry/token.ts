import { z } from "zod";
import { ImageError } from "../error.ts";
import type { Credentials } from "./credentials.ts";
import { textOf, type RegistryHttp } from "./http.ts";

const document = z.object({ token: z.string().nullish(), access_token: z.string().nullish() });

/** How a registry is told who asks: by name and password, or by a token that a third one gives. */
export class TokenSource {
  readonly #http: RegistryHttp;
  readonly #scope: string;
  readonly #credentials: Credentials | undefined;
  #header: string | undefined;

  constructor(http: RegistryHttp, scope: string, credentials: Credentials | undefined) {
    this.#http = http;
    this.#scope = scope;
    this.#credentials = credentials;
  }

  /** What the last challenge was answered with. */
  header(): Record<string, string> {
    return this.#header === undefined ? {} : { authorization: this.#header };
  }

  /**
   * Answers `WWW-Authenticate` (RFC 9110 section 11.6.1). https://distribution.github.io/distribution/spec/auth/token/
   * Raises `ImageError` `denied`.
   */
  async answerTo(challenge: string, name: string): Promise<Record<string, string>> {
    const [, scheme = "", rest = ""] = /^\s*(\w+)\s*(.*)$/s.exec(challenge) ?? [];
    if (scheme.toLowerCase() === "basic") this.#header = this.#basic(name);
    else if (scheme.toLowerCase() === "bearer") this.#header = `Bearer ${await this.#token(parametersOf(rest), name)}`;
    else throw new ImageError("denied", `${name}: the registry wants to know who asks, and does not say how`);
    return this.header();
  }

  #basic(name: string): string {
    const credentials = this.#credentials;
    if (credentials && "password" in credentials)
      return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
    throw new ImageError("denied", `${name}: the registry wants a user and a password`, {
      remedy: "log in with docker login or podman login",
    });
  }

  async #token(parameters: Map<string, string>, name: string): Promise<string> {
    const realm = parameters.get("realm") ?? "";
    if (!URL.canParse(realm)) throw new ImageError("denied", `${name}: the registry names no place for tokens`);
    const scope = this.#scope;
    const url = new URL(realm);
    const service = parameters.get("service") ?? "";
    const credentials = this.#credentials;
    if (credentials && "token" in credentials) return this.#exchange(url, service, scope, credentials.token, name);
    if (service !== "") url.searchParams.set("service", service);
    url.searchParams.set("scope", scope);
    const headers = credentials ? { authorization: this.#basic(name) } : {};
    return this.#tokenFrom(url, await this.#http.ask(url.href, { headers }), name);
  }

  /** An identity token is exchanged by OAuth 2. https://distribution.github.io/distribution/spec/auth/oauth/ */
  async #exchange(url: URL, service: string, scope: string, refresh: string, name: string): Promise<string> {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      service,
      client_id: "bulwark",
      scope,
      refresh_token: refresh,
    }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return this.#tokenFrom(url, await this.#http.ask(url.href, { method: "POST", headers, body }), name);
  }

  async #tokenFrom(url: URL, answer: Awaited<ReturnType<RegistryHttp["ask"]>>, name: string): Promise<string> {
    const text = await textOf(answer);
    if (answer.statusCode !== 200) {
      throw new ImageError("denied", `${name}: ${url.host} gives no token (status ${String(answer.statusCode)})`, {
        remedy: "log in with docker login or podman login, and look whether the name is right",
      });
    }
    try {
      const { token, access_token: access } = document.parse(JSON.parse(text));
      const found = token ?? access;
      if (found && /^[\x21-\x7e]+$/.test(found)) return found;
    } catch {
      // Said below, without the text: there may be a token in it.
    }
    throw new ImageError("denied", `${name}: ${url.host} answers with no token`);
  }
}

function parametersOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, key = "", quoted, plain] of text.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g))
    found.set(key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? "");
  return found;
}
