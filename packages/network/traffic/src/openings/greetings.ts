import type { Protocol } from "./opening.ts";

/** Protocols that tell by a few bytes what they are, by who says them first; as text, or as hexadecimal digits. */
interface Greeting {
  readonly clear: string;
  readonly fromClient: boolean;
  readonly text?: RegExp;
  readonly hex?: RegExp;
}
const known: readonly Greeting[] = [
  { clear: "ftp", fromClient: false, text: /^220[ -].*ftp/i },
  { clear: "smtp", fromClient: false, text: /^220[ -].*(?:smtp|mail)/i },
  { clear: "pop3", fromClient: false, text: /^\+OK/ },
  { clear: "imap", fromClient: false, text: /^\* OK/ },
  { clear: "vnc", fromClient: false, text: /^RFB \d{3}\.\d{3}\n/ },
  // Packet 0, protocol version 10, a version as text: dev.mysql.com, "Protocol::HandshakeV10".
  { clear: "mysql", fromClient: false, hex: /^.{6}000a(?:3\d|2e){3}/ },
  // RFC 854: a command, and what it is about.
  { clear: "telnet", fromClient: false, hex: /^fff[b-e]/ },
  // Length, then version 3.0: postgresql.org, "StartupMessage". A request for TLS is another number.
  { clear: "postgresql", fromClient: true, hex: /^0000.{4}00030000/ },
  { clear: "redis", fromClient: true, text: /^\*\d{1,3}\r\n\$\d/ },
  { clear: "stratum", fromClient: true, text: /^\{.*"method" *: *"(?:mining\.subscribe|mining\.authorize|login)"/s },
  { clear: "amqp", fromClient: true, text: /^AMQP/ },
  // CONNECT with the name of the protocol: OASIS MQTT 5.0, section 3.1.
  { clear: "mqtt", fromClient: true, hex: /^10.{2,8}00044d515454/ },
];
/** redis.io, RESP: AUTH with a password. */
const redisAuthentication = /^\*[23]\r\n\$4\r\nauth\r\n/i;

export const greetings: Protocol = {
  read(bytes, fromClient) {
    const text = bytes.toString("latin1", 0, 256);
    const hex = bytes.toString("hex", 0, 64);
    const found = known.find(
      (greeting) =>
        greeting.fromClient === fromClient && (greeting.text?.test(text) === true || greeting.hex?.test(hex) === true),
    );
    if (!found) return undefined;
    const { clear } = found;
    return { clear, credential: clear === "redis" && redisAuthentication.test(text) };
  },
};
