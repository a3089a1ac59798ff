import type { HandlerOf } from "../action.ts";
import { enforce, lackOfEnforcer } from "../enforce.ts";

const origins = {
  "writable-layer": "what was written into the container",
  memory: "what was never a file",
  mount: "what is on a volume",
} as const;

/** Programs fail to begin with EPERM, or are ended before their first instruction. What runs already runs on. */
export const denyExec: HandlerOf<"deny-exec"> = {
  plan: (action) => `refuse to execute ${programsOf(action)}`,
  async lack(subject) {
    const { paths, origins: from } = subject.action;
    if (paths.length + from.length > 0) return lackOfEnforcer(subject);
    return { text: "no program is named", remedy: "Name a path, or where the programs come from." };
  },
  async act(subject) {
    const { paths, origins: from } = subject.action;
    return enforce(subject, { kind: "exec", paths, origins: from }, `refuses to execute ${programsOf(subject.action)}`);
  },
};

function programsOf({ paths, origins: from }: { paths: string[]; origins: (keyof typeof origins)[] }): string {
  const all = [...paths.map((path) => (path.endsWith("/") ? `${path}*` : path)), ...from.map((name) => origins[name])];
  return all.length > 6 ? `${all.slice(0, 6).join(", ")} and ${all.length - 6} more` : all.join(", ");
}
