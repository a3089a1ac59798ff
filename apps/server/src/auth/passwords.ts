import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { Refusal } from "../http/problem.ts";

/** OWASP Password Storage Cheat Sheet: scrypt with N=2^15, r=8, p=3 (32 MiB a hash). */
const cost = { ln: 15, r: 8, p: 3 } as const;
/** Two threads of libuv's four, so that hashing cannot starve the file system and DNS. */
const atOnce = 2;
const waiting = 16;

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: ScryptOptions,
) => Promise<Buffer>;

/** `$scrypt$ln=15,r=8,p=3$<salt>$<hash>` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await bounded(() => run(password, salt, cost));
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** False for a wrong password, and, after the same time, for a person who has none (`null`). */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const parsed = parse(stored ?? nobody);
  if (!parsed) throw new Error("a stored password hash cannot be read");
  const hash = await bounded(() => run(password, parsed.salt, parsed.cost));
  return timingSafeEqual(hash, parsed.hash) && stored !== null;
}

const nobody = `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${"A".repeat(22)}==$${"A".repeat(43)}=`;

interface Cost {
  ln: number;
  r: number;
  p: number;
}

function parse(text: string): { cost: Cost; salt: Buffer; hash: Buffer } | undefined {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/=]+)\$([\w+/=]+)$/.exec(text);
  if (!match) return undefined;
  const [, ln, r, p, salt = "", hash = ""] = match;
  const parsed = Buffer.from(hash, "base64");
  if (parsed.length !== 32) return undefined;
  return { cost: { ln: Number(ln), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, "base64"), hash: parsed };
}

async function run(password: string, salt: Buffer, { ln, r, p }: Cost): Promise<Buffer> {
  return derive(password.normalize("NFKC"), salt, 32, { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r });
}

let running = 0;
const queue: (() => void)[] = [];

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (running >= atOnce) {
    if (queue.length >= waiting) throw new Refusal("too-many", "too many logins at once", { retryAfter: 5 });
    await new Promise<void>((resolve) => queue.push(resolve));
  } else running++;
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next) next();
    else running--;
  }
}
