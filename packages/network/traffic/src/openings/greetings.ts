import type { Protocol } from "./opening.ts";

/** Protocols that tell by a few bytes what they are, by who says them first. */
const fromServers: readonly [clear: string, greeting: RegExp][] = [
  ["ftp", /^220[ -].*ftp/i],
  ["smtp", /^220[ -].*(?:smtp|mail)/i],
  ["pop3", /^\+OK/],
  ["imap", /^\* OK/],
  // Packet 0, protocol version 10, a version as text: dev.mysql.com, "Protocol::HandshakeV10".
  ["mysql", /^[^]{3}\0\n[\d.]+[^\0]*\0/],
  ["vnc", /^RFB \d{3}\.\d{3}\n/],
  ["telnet", /^\xff[\xfb-\xfe]/],
];
const fromClients: readonly [clear: string, greeting: RegExp][] = [
  // Length, then version 3.0: postgresql.org, "StartupMessage". A request for TLS is another number.
  ["postgresql", /^\0\0[^]{2}\0\x03\0\0/],
  ["redis", /^\*\d{1,3}\r\n\$\d/],
  ["stratum", /^\{[^]*"method" *: *"(?:mining\.subscribe|mining\.authorize|login)"/],
  ["amqp", /^AMQP\0/],
  // CONNECT with the name of the protocol: OASIS MQTT 5.0, section 3.1.
  ["mqtt", /^\x10[^]{1,4}\0\x04MQTT/],
];
/** redis.io, RESP: AUTH with a password. docs.oasis-open.org: MQTT has flags for one. */
const redisAuthentication = /^\*[23]\r\n\$4\r\nauth\r\n/i;

export const greetings: Protocol = {
  read(bytes, fromClient) {
    const text = bytes.toString("latin1", 0, 256);
    const found = (fromClient ? fromClients : fromServers).find(([, greeting]) => greeting.test(text));
    if (!found) return undefined;
    const [clear] = found;
    return { clear, credential: clear === "redis" && redisAuthentication.test(text) };
  },
};
