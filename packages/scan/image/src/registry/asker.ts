import type { IncomingMessage } from "node:http";
import { ImageError } from "../error.ts";
import type { Credentials } from "./credentials.ts";
import { textOf, type RegistryHttp } from "./http.ts";
import { TokenSource } from "./token.ts";

/** Asks one address of a registry in the name of whoever has the credentials, for what a scope allows. */
export class Asker {
  readonly #http: RegistryHttp;
  readonly #base: string;
  readonly #name: string;
  readonly #tokens: TokenSource;

  /** `name`: what errors call it. `scope`: https://distribution.github.io/distribution/spec/auth/scope/ */
  constructor(
    http: RegistryHttp,
    base: string,
    { name, scope, credentials }: { name: string; scope: string; credentials: Credentials | undefined },
  ) {
    this.#http = http;
    this.#base = base;
    this.#name = name;
    this.#tokens = new TokenSource(http, scope, credentials);
  }

  /** An answer of status 200 or 206. Raises `ImageError`. */
  async ask(
    path: string,
    headers: Record<string, string> = {},
    method: "GET" | "HEAD" = "GET",
  ): Promise<IncomingMessage> {
    const url = this.#base + path;
    const known = this.#tokens.header();
    let answer = await this.#http.ask(url, { method, headers: { ...headers, ...known } });
    if (answer.statusCode === 401) {
      const challenge = answer.headers["www-authenticate"] ?? "";
      answer.destroy();
      const header = await this.#tokens.answerTo(challenge, this.#name);
      answer = await this.#http.ask(url, { method, headers: { ...headers, ...header } });
    }
    const status = answer.statusCode ?? 0;
    if (status === 200 || status === 206) return answer;
    const text = await textOf(answer).catch(() => "");
    throw failure(status, `${this.#name}${path.replace(/^\/\w+\//, " ")}`, text);
  }
}

function failure(status: number, what: string, body: string): ImageError {
  const said = /"message"\s*:\s*"((?:[^"\\]|\\.){1,300})"/.exec(body)?.[1];
  const because = said === undefined ? `status ${status}` : `${said} (status ${status})`;
  if (status === 404) return new ImageError("not-found", `${what} is not there: ${because}`);
  if (status === 401 || status === 403) {
    return new ImageError("denied", `${what}: ${because}`, {
      remedy:
        "log in with docker login or podman login, and look whether the name is right: registries hide what is not there",
    });
  }
  if (status === 429) {
    return new ImageError("unreachable", `${what}: the registry's limit is reached: ${because}`, {
      remedy: "log in, name a mirror, or come back later",
    });
  }
  return new ImageError("unreachable", `${what}: ${because}`);
}
