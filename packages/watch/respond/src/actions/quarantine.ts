import type { HandlerOf } from "../action.ts";
import { enforce, lackOfEnforcer, exceptText, rulesOf } from "../enforce.ts";

/**
 * No packet leaves or comes in, on connections that are there too. Its processes run on, and so do Unix sockets. Of a pod
 * this is one container: others of it are cut off by an order of their own.
 */
export const quarantine: HandlerOf<"quarantine"> = {
  plan: ({ except }, container) => `cut ${container.name} from the network${exceptText(except)}`,
  lack: lackOfEnforcer,
  async act(subject) {
    const { except } = subject.action;
    const text = `cut from the network${exceptText(except)}`;
    return enforce(subject, { kind: "quarantine", peers: rulesOf(except, true) }, text);
  },
};
