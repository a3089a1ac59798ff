import type { Severity } from "@bulwark/model";
import { defineDetector, type Detection } from "../detector.ts";
import { baseName, commandOf } from "../evidence.ts";
import { interpreterKind } from "../interpreters.ts";

/** Servers by their program; `high` where they start no shell in ordinary work, `medium` where some applications do. */
const servers: [RegExp, Severity][] = [
  [/^(?:nginx|openresty|httpd|apache2|lighttpd|caddy|haproxy|envoy|varnishd|traefik)$/, "high"],
  [/^(?:redis-server|valkey-server|memcached|mysqld|mariadbd|mongod|etcd|named|dnsmasq|vsftpd|smbd|slapd)$/, "high"],
  [/^(?:postgres|php-fpm[\d.]*|uwsgi|gunicorn|unicorn|puma|java|tomcat|w3wp|dotnet|influxd|elasticsearch)$/, "medium"],
];
/** What a server runs by itself, word for word. PostgreSQL asks for the system's collations when a cluster is made. */
const own: ReadonlySet<string> = new Set(["postgres sh -c locale -a"]);
const tools = /^(?:curl|wget|nc|ncat|netcat|socat|nmap|tcpdump|id|whoami|base64|telnet|ssh|scp)$/;

/** A server that answers the network starts a shell or a tool: what a web shell and a remote execution look like. */
export const serverChild = defineDetector({
  id: "server-child",
  title: "Server starts a shell",
  description:
    "A web server, database or other network service started a shell or a network tool. Most of them never do; whoever breaks into one does it first.",
  remedy:
    "Look at the command and at the requests that came in at that second. If the application starts commands by itself, make an exception for that command.",
  severity: "high",
  techniques: ["T1190", "T1505.003"],
  needs: ["exec"],
  detect({ process, table }): Detection | undefined {
    const parent = table.parent(process);
    const program = parent && baseName(parent.executable);
    const severity = program === undefined ? undefined : servers.find(([pattern]) => pattern.test(program))?.[1];
    if (parent === undefined || severity === undefined) return undefined;
    // The server itself, once more: a worker, or itself under another name.
    if (parent.executable === process.executable) return undefined;
    if (interpreterKind(process) !== "shell" && !tools.test(baseName(process.arguments[0] ?? ""))) return undefined;
    if (own.has(`${program} ${commandOf(process)}`)) return undefined;
    return {
      subject: process,
      key: `${parent.executable}\u0000${shapeOf(commandOf(process)).slice(0, 256)}`,
      severity,
      evidence: [
        { key: "server", value: parent.executable },
        { key: "command", value: commandOf(process) },
      ],
    };
  },
});

/** The command without its numbers: what a database does with each of its logs (`archive_command`) is one and the same. */
function shapeOf(command: string): string {
  return command.replaceAll(/[0-9A-Fa-f]{8,}|\d+/g, "#");
}
