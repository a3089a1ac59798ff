import { styleText } from "node:util";
import { endText, type End } from "@bulwark/flow";
import type { Replay } from "@bulwark/learn";
import { printable } from "../local/text.ts";

const mostWorkloads = 50;
const mostExamples = 5;

interface Denial {
  readonly edge: {
    readonly client: End;
    readonly server: End;
    readonly port: number;
    readonly protocol: string;
    readonly connections: number;
    readonly last: number;
  };
  readonly side: "egress" | "ingress";
  readonly reason: string;
}
/** What a replay here or on a server comes to. `deniedEdges`: with those that are not listed. */
type Denials = Pick<Replay, "edges" | "connections" | "deniedConnections" | "attempts"> & {
  readonly denied: readonly Denial[];
  readonly deniedEdges: number;
  readonly skipped: Iterable<readonly [string, number]>;
};

export function replayText(replay: Replay): string {
  return denialsText({ ...replay, deniedEdges: replay.denied.length });
}

/** What policies would have denied, by the workload that would notice. */
export function denialsText(replay: Denials): string {
  const { denied, deniedEdges, deniedConnections, edges, connections, attempts, skipped } = replay;
  const byWorkload = new Map<string, Denial[]>();
  for (const denial of denied) {
    const name = endText(denial.side === "egress" ? denial.edge.client : denial.edge.server);
    byWorkload.set(name, [...(byWorkload.get(name) ?? []), denial]);
  }
  const blocks = [...byWorkload].slice(0, mostWorkloads).map(([name, list]) => {
    const lines = list.slice(0, mostExamples).map(exampleText).join("");
    const more = list.length > mostExamples ? `  … and ${list.length - mostExamples} more\n` : "";
    return `${styleText("bold", printable(name))}\n${lines}${more}`;
  });
  const rest =
    byWorkload.size > mostWorkloads
      ? `… and ${byWorkload.size - mostWorkloads} workloads more; --format json has all\n`
      : "";
  const head = `${counted(connections, "connection")} on ${counted(edges, "edge")}: `;
  const verdict =
    denied.length === 0
      ? styleText("green", "none denied")
      : styleText("red", `${deniedConnections} on ${deniedEdges} would have been denied`);
  const tries = attempts.allowed + attempts.denied;
  const tried =
    tries === 0 ? "" : `${counted(tries, "edge")} with attempts only: ${attempts.denied} would have been denied\n`;
  const unfit = [...skipped].map(([reason, count]) => `not judged: ${count} × ${reason}\n`).join("");
  return `${blocks.join("")}${rest}${head}${verdict}\n${tried}${unfit}`;
}

function exampleText({ edge, side, reason }: Denial): string {
  const { client, server, port, protocol, connections, last } = edge;
  const when = new Date(last).toISOString().slice(0, 16).replace("T", " ");
  const what = `${endText(client)} → ${endText(server)}  ${protocol} ${port}`;
  return `  ${printable(what)}  ${counted(connections, "connection")}, last ${when} UTC\n    ${side}: ${printable(reason)}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
