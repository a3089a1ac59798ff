import { createHash, X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { createRequest, lifeOf, serverName } from "@bulwark/identity";
import { BulwarkError, errorText, systemCode } from "@bulwark/model";
import { z } from "zod";
import type { Keeper } from "./keeper.ts";

/**
 * - `no-token`: this node has no certificate (any more), and no token to get one with
 * - `refused`: the control plane does not let this node in
 * - `stranger`: what answers is not the control plane that the token is of
 * - `away`: nobody answers
 */
export class JoinError extends BulwarkError<"no-token" | "refused" | "stranger" | "away"> {}

/** What this node holds, in PEM. */
export interface Identity {
  certificate: string;
  key: string;
  /** Certificate of the control plane's authority. */
  authority: string;
}

/** One call of the API with this TLS. Rejects where there is no answer. */
export type Call = (
  server: string,
  path: string,
  body: object,
  tls: { ca: string; cert?: string; key?: string },
) => Promise<{ status: number; body: unknown }>;

export interface IdentityOptions {
  /** Where the key is, which never leaves it. */
  keeper: Keeper;
  node: string;
  /** Asked where there is need of it, and now and then: another may have come. */
  ticket(): Promise<Ticket | undefined>;
  call: Call;
}

/** What a node joins with. */
export interface Ticket {
  /** Sent to the server, and to none but the one of this fingerprint. */
  text: string;
  /** Another id is the wish to join anew. */
  id: string;
  /** Of the authority's certificate: SHA-256 in hexadecimal digits. */
  fingerprint: string;
}

const kept = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  authority: z.string(),
  /** Id of the token that brought it: another token is the wish to join anew. */
  token: z.string(),
});
type Kept = z.infer<typeof kept>;
const pending = z.strictObject({ key: z.string(), request: z.string(), token: z.string() });
const granted = z.object({ certificate: z.string() });
const problem = z.object({ message: z.string(), remedy: z.string().optional() });
const handshakeTime = 5000;
/** Between two tries to renew, when one failed. */
const renewPause = 60_000;
/** Between two looks for another ticket, while what is held is good. */
const lookPause = 60_000;

/** The certificate of this node: joined once with a token, then renewed half-way through its time. */
export class NodeIdentity {
  readonly #options: IdentityOptions;
  #kept: Kept | undefined;
  #renewAfter = 0;
  #lookAfter = 0;
  /** The ticket that was seen last. */
  #seen: Ticket | undefined;

  private constructor(options: IdentityOptions, held: Kept | undefined) {
    this.#options = options;
    this.#kept = held;
  }

  static async open(options: IdentityOptions): Promise<NodeIdentity> {
    const text = await options.keeper.read("identity.json");
    return new NodeIdentity(options, text === undefined ? undefined : kept.parse(JSON.parse(text)));
  }

  /** When the certificate ends; undefined where there is none. */
  get expiresAt(): number | undefined {
    return this.#kept && lifeOf(this.#kept.certificate).expiresAt;
  }

  /** The certificate to call `server` with; joins or renews where that is due. Raises `JoinError`. */
  async current(server: string): Promise<Identity> {
    const held = this.#kept;
    const now = Date.now();
    if (!held || lifeOf(held.certificate).expiresAt <= now) return this.#join(server, await this.#need(held));
    this.#look(now);
    if (this.#seen !== undefined && this.#seen.id !== held.token) return this.#join(server, this.#seen);
    if (lifeOf(held.certificate).renewAt <= now && now >= this.#renewAfter) return this.#renew(server, held);
    return held;
  }

  /** What is held was not taken: perhaps there is another ticket by now. */
  doubt(): void {
    this.#lookAfter = 0;
  }

  async #need(held: Kept | undefined): Promise<Ticket> {
    const lack = held ? "this node's certificate has expired" : "this node has not joined yet";
    let ticket: Ticket | undefined;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (error instanceof JoinError) throw error;
      throw new JoinError("no-token", `${lack}: ${errorText(error)}`, { cause: error });
    }
    if (ticket) return ticket;
    throw new JoinError("no-token", lack, {
      remedy: "make a token with bulwark join NODE, and give it to the agent as BULWARK_JOIN_TOKEN",
    });
  }

  /** Beside the calls: they do not wait for who has the tickets. */
  #look(now: number): void {
    if (now < this.#lookAfter) return;
    this.#lookAfter = now + lookPause;
    this.#options.ticket().then(
      (ticket) => (this.#seen = ticket),
      // Not to be had now: what is held is good.
      () => undefined,
    );
  }

  async #join(server: string, { text: token, id, fingerprint }: Ticket): Promise<Identity> {
    const { keeper, node, call } = this.#options;
    const authority = await authorityOf(server, fingerprint);
    // The key is kept before it is asked for: when the answer is lost, the same key asks again.
    const earlier = await keeper.read("request.json");
    let mine = earlier === undefined ? undefined : pending.parse(JSON.parse(earlier));
    if (mine?.token !== id) {
      mine = { ...(await createRequest()), token: id };
      await keeper.write("request.json", JSON.stringify(mine));
    }
    const body = { token, node, request: mine.request };
    const certificate = await this.#ask(call(server, "/api/agent/v1/enrol", body, { ca: authority }));
    return this.#keep({ certificate, key: mine.key, authority, token: id });
  }

  async #renew(server: string, held: Kept): Promise<Identity> {
    const { key, request } = await createRequest();
    const tls = { ca: held.authority, cert: held.certificate, key: held.key };
    try {
      const certificate = await this.#ask(this.#options.call(server, "/api/agent/v1/certificate", { request }, tls));
      return await this.#keep({ ...held, certificate, key });
    } catch {
      // The one that is held is still good; whoever calls with it hears what is wrong.
      this.#renewAfter = Date.now() + renewPause;
      return held;
    }
  }

  async #ask(answer: ReturnType<Call>): Promise<string> {
    const { status, body } = await answer.catch((error: unknown) => {
      throw new JoinError("away", "the control plane does not answer", { cause: error });
    });
    if (status === 200) return granted.parse(body).certificate;
    const told = problem.safeParse(body);
    const message = told.success ? told.data.message : `the control plane answered ${status}`;
    const remedy = told.success && told.data.remedy !== undefined ? { remedy: told.data.remedy } : {};
    throw new JoinError(status >= 500 || status === 429 ? "away" : "refused", message, remedy);
  }

  async #keep(held: Kept): Promise<Identity> {
    await this.#options.keeper.write("identity.json", JSON.stringify(held));
    this.#kept = held;
    return held;
  }
}

/**
 * The authority's certificate, from whoever answers; that it is the token's own is seen by its fingerprint. Nothing is
 * sent here: the token goes only to a server that this authority has signed.
 */
async function authorityOf(server: string, fingerprint: string): Promise<string> {
  const { hostname, port } = new URL(server);
  const chain = await new Promise<DetailedPeerCertificate>((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 443),
      servername: serverName,
      rejectUnauthorized: false,
    });
    socket.setTimeout(handshakeTime, () => socket.destroy(new Error("no answer in time")));
    socket.once("error", (error) => {
      const away = systemCode(error) !== undefined || error.message === "no answer in time";
      const text = `${server} ${away ? "cannot be reached" : "does not speak TLS"}: ${error.message}`;
      reject(new JoinError("away", text, { cause: error }));
    });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate(true));
      socket.end();
    });
  });
  for (const raw of rawChain(chain)) {
    if (createHash("sha256").update(raw).digest("hex") === fingerprint) return new X509Certificate(raw).toString();
  }
  throw new JoinError("stranger", `${server} is not the control plane that the token is of`, {
    remedy: "check the address; what terminates TLS before the server must pass it through",
  });
}

function rawChain(leaf: DetailedPeerCertificate): Buffer[] {
  const raws: Buffer[] = [];
  let one: DetailedPeerCertificate | undefined = leaf;
  while (one?.raw && raws.length < 4) {
    raws.push(one.raw);
    if (one.issuerCertificate === one) break;
    one = one.issuerCertificate;
  }
  return raws;
}
