import { endText } from "@bulwark/flow";
import { stateless, type Detector } from "../detector.ts";

/** A peer or a port that was not there while it was learned what is ordinary. */
export const novelty: Detector = {
  id: "novelty",
  title: "A peer or port that is new",
  severity: "low",
  techniques: ["T1071"],
  needs: ["baseline"],
  start: ({ profile }) =>
    stateless((flow) => {
      if (!profile || flow.dns || flow.port === 0 || flow.result !== "established" || profile.knows(flow))
        return undefined;
      // Who calls from outside is new all the time.
      if (!flow.client.workload) return undefined;
      const peer = endText(flow.server);
      const [score, what] = !profile.knowsClient(flow)
        ? [0.3, `${endText(flow.client)} was never seen to connect anywhere before`]
        : profile.knowsPeer(flow)
          ? [0.4, `${peer} is known, its port ${flow.port} is new`]
          : [0.6, `${peer} was never connected to before`];
      return { score, explanation: what, evidence: [{ key: "port", value: `${flow.protocol} ${flow.port}` }] };
    }),
};
