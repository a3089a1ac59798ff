import type { HandlerOf } from "../action.ts";
import { enforce, lackOfEnforcer, exceptText, peersText, rulesOf } from "../enforce.ts";

/** Connections and datagrams to peers fail with EPERM. Connections that are there stay. */
export const denyConnect: HandlerOf<"deny-connect"> = {
  plan: ({ peers, except }) => `refuse to connect to ${peersText(peers)}${exceptText(except)}`,
  lack: lackOfEnforcer,
  async act(subject) {
    const { peers, except } = subject.action;
    const rules = [...rulesOf(except, true), ...rulesOf(peers, false)];
    const text = `refuses to connect to ${peersText(peers)}${exceptText(except)}`;
    return enforce(subject, { kind: "connect", peers: rules }, text);
  },
};
