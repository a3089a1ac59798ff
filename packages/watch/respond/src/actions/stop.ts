import type { HandlerOf } from "../action.ts";
import { attempt } from "../attempt.ts";
import { lackOfRuntime } from "./pause.ts";

/** Ends the container through its runtime: first asked, then killed. Whoever keeps it running, a kubelet, starts another. */
export const stop: HandlerOf<"stop"> = {
  plan: (_action, container) => `stop ${container.name} through ${container.runtime}`,
  async lack(subject) {
    return lackOfRuntime(subject);
  },
  async act(subject) {
    const { container, means } = subject;
    const lack = lackOfRuntime(subject);
    if (lack) return { ok: false, ...lack };
    return attempt(async () => {
      await means.runtime?.stop(container);
      return { text: `stopped by ${container.runtime}` };
    });
  },
};
