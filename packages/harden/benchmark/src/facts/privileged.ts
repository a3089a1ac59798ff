import type { Collector, Host } from "../collector.ts";
import { matches } from "./files.ts";

/** Where packages of distributions put programs that run with their owner's or group's rights. */
const places = [
  "/usr/bin/*",
  "/usr/sbin/*",
  "/usr/local/bin/*",
  "/usr/local/sbin/*",
  "/usr/libexec/*",
  "/usr/lib/*/*",
  "/usr/lib/*/*/*",
  "/bin/*",
  "/sbin/*",
];

/** `privileged`: paths of programs with the set-user-id or set-group-id bit, each file once, without links. */
export const privileged: Collector = {
  variables: ["privileged"],
  collect(host) {
    const found = host.attempt("privileged", () => places.flatMap((place) => programsIn(host, place))) ?? [];
    return { privileged: [...new Set(found)].toSorted() };
  },
};

function programsIn(host: Host, pattern: string): string[] {
  return matches(host, pattern).flatMap((path) => {
    const stats = host.root.stat(path, { link: true });
    return stats?.isFile() === true && (stats.mode & 0o6000) !== 0 ? (host.root.real(path) ?? []) : [];
  });
}
