import { endText } from "@bulwark/flow";
import { createBounded } from "../bounded.ts";
import type { Detector } from "../detector.ts";
import { createRecent } from "../recent.ts";

const hour = 3_600_000;
/** By which machines are taken over from another: SSH, Telnet, RPC, SMB, Docker, RDP, VNC, WinRM. */
const remote = new Set([22, 23, 135, 139, 445, 2375, 2376, 3389, 5900, 5985, 5986]);
const fan = 4;

/** From workload to workload by ports of remote control: onward from where one came in, or to many at once. */
export const lateralMovement: Detector = {
  id: "lateral-movement",
  title: "A workload takes control of others",
  severity: "high",
  techniques: ["T1021"],
  needs: ["results"],
  start({ profile }) {
    const entered = createBounded(20_000, () => ({ time: -Infinity, from: "" }));
    const reached = createBounded(20_000, () => createRecent(hour, 256));
    return {
      see(flow) {
        const { client, server, port, first } = flow;
        if (!client.workload || !server.workload || !remote.has(port) || flow.result !== "established")
          return undefined;
        if (profile?.knows(flow)) return undefined;
        const from = endText(client);
        const to = endText(server);
        if (from === to) return undefined;
        const into = entered.of(to);
        into.time = first;
        into.from = from;
        const others = reached.of(from);
        others.add(to, first);
        const before = entered.of(from);
        const evidence = [{ key: "servers", value: others.list().slice(-20).join(", ") }];
        if (first - before.time <= hour && before.from !== to) {
          const explanation = `${before.from} came into ${from} by a port of remote control, and from there to ${to} within an hour`;
          return { score: 0.9, explanation, evidence: [{ key: "chain", value: `${before.from} → ${from} → ${to}` }] };
        }
        const count = others.count(first);
        if (count < fan) return undefined;
        const explanation = `${from} reached ${count} workloads by ports of remote control within an hour; ordinary is less than ${fan}`;
        return { score: Math.min(1, 0.6 + count / 40), explanation, evidence, about: "fan" };
      },
      get forgotten() {
        return entered.forgotten + reached.forgotten;
      },
    };
  },
};
