import { endText } from "@bulwark/flow";
import { stateless, type Detector } from "../detector.ts";

/** An address or a name of a list that was given. */
export const knownBad: Detector = {
  id: "known-bad",
  title: "An address or name that is known to be bad",
  severity: "high",
  techniques: ["T1071"],
  needs: ["list"],
  start: ({ badList }) =>
    stateless((flow) => {
      if (!badList) return undefined;
      const { client, server, dns, tls } = flow;
      const entry =
        badList.match(server.workload ? null : server.ip, dns?.name ?? server.name ?? tls?.serverName ?? null) ??
        badList.match(client.workload ? null : client.ip, client.name);
      if (entry === undefined) return undefined;
      const explanation = `${entry} is on the list; ${endText(client)} ${flow.dns ? "asked for it" : `→ ${endText(server)}`}`;
      return {
        score: flow.result === "established" ? 1 : 0.8,
        explanation,
        evidence: [{ key: "entry", value: entry }],
        about: entry,
      };
    }),
};
