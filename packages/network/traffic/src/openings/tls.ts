import type { Protocol } from "./opening.ts";

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const SERVER_NAME = 0;
const SUPPORTED_VERSIONS = 43;
const versions: Readonly<Record<number, string>> = {
  0x0300: "SSL 3.0",
  0x0301: "1.0",
  0x0302: "1.1",
  0x0303: "1.2",
  0x0304: "1.3",
};

/**
 * RFC 8446 sections 4.1.2, 4.1.3 and 5.1, RFC 6066 section 3. The client's hello has the name of the server, the server's the
 * version that is spoken. One that is cut tells what is whole of it.
 */
export const tls: Protocol = {
  read(bytes) {
    if (bytes.length < 6 || bytes[0] !== HANDSHAKE || bytes[1] !== 3) return undefined;
    const type = bytes[5];
    if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return { tls: { version: null, serverName: null } };
    const message = bytes.subarray(5);
    return {
      tls:
        type === CLIENT_HELLO
          ? { version: null, serverName: readServerName(message) }
          : { version: readVersion(message), serverName: null },
    };
  },
};

/** Behind the header of a message (4): version, 32 random bytes, the id of a session. */
const sessionAt = 4 + 2 + 32;

/** Whom a client asks for, in its hello; null where that is not told, or cut off. */
export function readServerName(hello: Buffer): string | null {
  const ciphersAt = sessionAt + 1 + (hello[sessionAt] ?? 0);
  if (hello[0] !== CLIENT_HELLO || ciphersAt + 2 > hello.length) return null;
  const compressionAt = ciphersAt + 2 + hello.readUInt16BE(ciphersAt);
  const extensionsAt = compressionAt + 1 + (hello[compressionAt] ?? 0) + 2;
  return nameIn(extension(hello, extensionsAt, SERVER_NAME));
}

function readVersion(hello: Buffer): string | null {
  const afterSession = sessionAt + 1 + (hello[sessionAt] ?? 0);
  if (hello.length < 6) return null;
  const chosen = extension(hello, afterSession + 2 + 1 + 2, SUPPORTED_VERSIONS);
  return versions[chosen?.length === 2 ? chosen.readUInt16BE(0) : hello.readUInt16BE(4)] ?? null;
}

/** The content of an extension among those from `at` on. */
function extension(bytes: Buffer, at: number, wanted: number): Buffer | undefined {
  for (let from = at; from + 4 <= bytes.length;) {
    const end = from + 4 + bytes.readUInt16BE(from + 2);
    if (bytes.readUInt16BE(from) === wanted) return end <= bytes.length ? bytes.subarray(from + 4, end) : undefined;
    from = end;
  }
  return undefined;
}

/** A list of names, of which only that of a host (0) is known. */
function nameIn(content: Buffer | undefined): string | null {
  if (!content || content.length < 5 || content[2] !== 0) return null;
  const length = content.readUInt16BE(3);
  const name = content.toString("latin1", 5, 5 + length).toLowerCase();
  return length > 0 && name.length === length && /^[a-z0-9_.-]{1,253}$/.test(name) ? name.replace(/\.$/, "") : null;
}
