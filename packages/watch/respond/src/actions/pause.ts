import type { Container } from "@bulwark/model";
import type { HandlerOf, Lack, Subject } from "../action.ts";
import { attempt } from "../attempt.ts";

/** As freezing, by the runtime, which knows of it then and shows the container as paused. */
export const pause: HandlerOf<"pause"> = {
  plan: (_action, container) => `pause ${container.name} through ${container.runtime}`,
  async lack(subject) {
    return lackOfRuntime(subject);
  },
  async act({ container, means: { runtime } }) {
    if (!runtime) return { ok: false, ...noRuntime(container) };
    return attempt(async () => {
      await runtime.pause(container);
      return {
        text: `paused by ${container.runtime}`,
        async undo() {
          await runtime.resume(container);
          return `resumed by ${container.runtime}`;
        },
      };
    });
  },
};

export function lackOfRuntime({ container, means }: Subject): Lack | undefined {
  if (!means.runtime) return noRuntime(container);
  if (container.pid !== null) return undefined;
  return { text: "the container does not run", remedy: "Nothing is to be done." };
}

function noRuntime({ runtime }: Container): Lack {
  return { text: `${runtime} cannot be asked from here`, remedy: "Let the agent reach the runtime's socket." };
}
