import type { Collector } from "../collector.ts";

/** `mounts["/tmp"]`: source, type and options of what is mounted there, the last one where several are. */
export const mounts: Collector = {
  variables: ["mounts"],
  collect(host) {
    const text = host.attempt("mounts", () => host.root.text("/proc/1/mounts"));
    if (text === undefined) host.miss("mounts", "what the host has mounted is not seen");
    const found = (text ?? "").split("\n").flatMap((line) => {
      const [source = "", target, type = "", options = ""] = line.split(" ");
      if (target === undefined) return [];
      return [[unescaped(target), { source: unescaped(source), type, options: options.split(",") }] as const];
    });
    return { mounts: Object.fromEntries(found) };
  },
};

/** Spaces and the like are octal numbers; proc_pid_mounts(5). */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
