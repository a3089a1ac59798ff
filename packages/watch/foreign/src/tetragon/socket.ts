import { isIP } from "node:net";
import type { SocketRecord } from "@bulwark/sensor";
import { numberAt, textAt, type Json } from "../json.ts";
import { firstOf } from "./argument.ts";
import type { Call, Reading } from "./deed.ts";

/** Functions of the kernel by what they do; those of the security module without `security_`. */
export const socketFunctions: ReadonlyMap<string, SocketRecord["operation"]> = new Map(
  Object.entries<SocketRecord["operation"]>({
    tcp_connect: "connect",
    tcp_v4_connect: "connect",
    tcp_v6_connect: "connect",
    socket_connect: "connect",
    inet_stream_connect: "connect",
    inet_dgram_connect: "connect",
    socket_bind: "bind",
    inet_bind: "bind",
    inet6_bind: "bind",
    socket_listen: "listen",
    inet_listen: "listen",
    inet_csk_listen_start: "listen",
    tcp_close: "closed",
    udp_sendmsg: "send",
    udpv6_sendmsg: "send",
    socket_sendmsg: "send",
  }),
);

/** include/linux/socket.h, include/uapi/linux/in.h */
const families: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    AF_UNIX: 1,
    AF_INET: 2,
    AF_INET6: 10,
    AF_NETLINK: 16,
    AF_PACKET: 17,
    AF_ALG: 38,
    AF_VSOCK: 40,
  }),
);
const kinds: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    SOCK_STREAM: 1,
    SOCK_DGRAM: 2,
    SOCK_RAW: 3,
    SOCK_PACKET: 10,
  }),
);
const protocols: ReadonlyMap<string, number> = new Map(
  Object.entries<number>({
    IPPROTO_ICMP: 1,
    IPPROTO_TCP: 6,
    IPPROTO_UDP: 17,
    IPPROTO_ICMPV6: 58,
  }),
);

/**
 * The socket is told by `sock_arg`, an address that is not yet the socket's own by `sockaddr_arg`. A connection of TCP is
 * a record of its own; what is connected without a word of its protocol is told without one.
 */
export function socketDeed(operation: SocketRecord["operation"], { name, args }: Call): Reading {
  const sock = firstOf(args, "sock_arg") ?? {};
  const given = firstOf(args, "sockaddr_arg") ?? {};
  const address = addressOf(given["addr"], given["port"]);
  const toOther = operation !== "bind" && operation !== "listen";
  const remote = (toOther ? address : undefined) ?? addressOf(sock["daddr"], sock["dport"]);
  const local = (operation === "bind" ? address : undefined) ?? addressOf(sock["saddr"], sock["sport"]);
  const family = familyOf(sock) ?? familyOf(given) ?? inferred(remote ?? local);
  const kind = kinds.get(textAt(sock["type"], 32)) ?? 0;
  const protocol = protocols.get(textAt(sock["protocol"], 32)) ?? (name.startsWith("tcp_") ? 6 : 0);
  if (family === 1) {
    const path = textAt(given["addr"]);
    if (path === "") return "address is not told";
    return { type: "socket", operation, family, kind, protocol: 0, local: null, remote: null, path };
  }
  if ((operation === "connect" || operation === "send") && (remote === undefined || isNowhere(remote.ip))) {
    return "address is not told";
  }
  if (operation === "connect" && remote && protocol === 6) {
    return { type: "connect", local: local ?? { ip: family === 10 ? "::" : "0.0.0.0", port: 0 }, remote };
  }
  const ends = { local: local ?? null, remote: toOther ? (remote ?? null) : null };
  return { type: "socket", operation, family: family ?? 0, kind, protocol, ...ends, path: "" };
}

function familyOf(socket: Json): number | undefined {
  return families.get(textAt(socket["family"], 32));
}

function inferred(address: { ip: string } | undefined): number | undefined {
  return address && (address.ip.includes(":") ? 10 : 2);
}

function addressOf(ip: unknown, port: unknown): { ip: string; port: number } | undefined {
  const text = textAt(ip, 64).replace(/^::ffff:(?=\d+\.)/i, "");
  const number = numberAt(port) ?? 0;
  return isIP(text) === 0 || number > 65_535 ? undefined : { ip: text, port: number };
}

function isNowhere(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}
