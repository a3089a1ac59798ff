import { stateless, type Detector } from "../detector.ts";

/** Passwords anybody on the way can read; protocols in clear text to the outside. */
export const clearText: Detector = {
  id: "clear-text",
  title: "A protocol in clear text",
  severity: "low",
  techniques: ["T1040"],
  needs: ["tls"],
  start: ({ profile }) =>
    stateless((flow) => {
      if (flow.clear === null || flow.tls) return undefined;
      if (!flow.credential && (flow.server.workload || profile?.knows(flow))) return undefined;
      const what = flow.credential ? `a password went by in ${flow.clear}` : `${flow.clear} to the outside`;
      const explanation = `${what}, which everybody on the way can read`;
      return { score: flow.credential ? 0.8 : 0.4, explanation, evidence: [{ key: "protocol", value: flow.clear }] };
    }),
};
