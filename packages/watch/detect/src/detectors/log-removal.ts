import { defineDetector, type Detection } from "../detector.ts";
import { baseName } from "../evidence.ts";

/** Records of who was here and what was done, which their own programs rotate and nobody else removes. */
const logs =
  /^\/var\/log\/(?:(?:wtmp|btmp|lastlog|utmp|faillog|auth\.log|secure|messages|syslog|kern\.log|audit\/audit\.log|cron|dpkg\.log)$|(?:nginx|apache2|httpd)\/(?:access|error)[^/]*\.log$)/;
const histories = /^\/(?:root|home\/[^/]+)\/\.(?:bash|zsh|ash|sh|python|mysql|psql)_history$/;
const operations: ReadonlySet<string> = new Set(["remove", "rename", "truncate"]);
const rotators =
  /^(?:logrotate|savelog|newsyslog|cronolog|rotatelogs|journald|systemd-journald|rsyslogd|syslog-ng|dpkg|apt|apk)$/;

/** Traces are removed or emptied: logs and histories of shells, by a program that does not rotate them. */
export const logRemoval = defineDetector({
  id: "log-removal",
  title: "Logs are removed",
  description:
    "A process in the container removed, emptied, cut or renamed a log or the history of a shell. Intruders do that last.",
  remedy: "Look at what happened in the container before, in Bulwark's own events: those are not in the container.",
  severity: "medium",
  techniques: ["T1070.002", "T1070.003"],
  needs: ["file"],
  detect({ record, process }): Detection | undefined {
    if (!operations.has(record.operation)) return undefined;
    if (!logs.test(record.path) && !histories.test(record.path)) return undefined;
    if (rotators.test(baseName(process.executable)) || rotators.test(process.name)) return undefined;
    return {
      subject: process,
      key: record.path,
      evidence: [
        { key: "file", value: record.path },
        { key: "operation", value: record.operation },
      ],
    };
  },
});
