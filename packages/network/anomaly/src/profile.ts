import { endKey, type Flow } from "@bulwark/flow";

/** What is ordinary: who talks to whom on which port, by workload. */
export interface Profile {
  /** Whether this client was seen at all. */
  knowsClient(flow: Flow): boolean;
  knowsPeer(flow: Flow): boolean;
  /** The peer and the port. */
  knows(flow: Flow): boolean;
  /** Adds what is ordinary; attempts that nobody answered are not. */
  learn(flow: Flow): void;
  /** Of flows that found no room. */
  readonly lost: number;
}

const most = 500_000;

export function createProfile(): Profile {
  const clients = new Set<string>();
  const peers = new Set<string>();
  const ports = new Set<string>();
  let lost = 0;
  return {
    knowsClient: (flow) => clients.has(clientOf(flow)),
    knowsPeer: (flow) => peers.has(peerOf(flow)),
    knows: (flow) => ports.has(portOf(flow)),
    learn(flow) {
      if (flow.result !== "established" && flow.result !== "unknown") return;
      if (ports.size >= most) {
        lost++;
        return;
      }
      clients.add(clientOf(flow));
      peers.add(peerOf(flow));
      ports.add(portOf(flow));
    },
    get lost() {
      return lost;
    },
  };
}

function clientOf({ client }: Flow): string {
  return endKey(client, "workload");
}

/** By name where there is one: behind a name addresses change. */
function peerOf(flow: Flow): string {
  const { server } = flow;
  const peer = !server.workload && server.name !== null ? server.name : endKey(server, "workload");
  return `${clientOf(flow)}\n${peer}`;
}

function portOf(flow: Flow): string {
  return `${peerOf(flow)}\n${flow.protocol} ${flow.port}`;
}
