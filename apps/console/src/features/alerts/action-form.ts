import type { Action, ActionKind, ActionPeer, StoredAlert } from "@bulwark/model";

/** What a person fills in; which of it counts depends on the kind. */
export interface ActionForm {
  kind: ActionKind;
  minutes: number;
  paths: string;
  peers: string;
  except: string;
}

const all: Record<ActionKind, true> = {
  kill: true,
  freeze: true,
  "deny-exec": true,
  "deny-connect": true,
  quarantine: true,
  pause: true,
  stop: true,
  "delete-pod": true,
  cordon: true,
};
/** In the order in which they are offered. Not the model's own list: with that, all of its schemas would be loaded. */
export const actionKinds = Object.keys(all) as ActionKind[];

/** What the alert itself suggests; without one it is about the network. */
export function suggest(alert: StoredAlert | null): ActionForm {
  if (!alert) return { kind: "quarantine", minutes: 60, paths: "", peers: "", except: "" };
  const peer = alert.evidence.find(({ key }) => key === "peer")?.value ?? "";
  const program = alert.process?.executable ?? "";
  return {
    kind: peer === "" ? "freeze" : "quarantine",
    minutes: 60,
    paths: program.startsWith("/") ? program : "",
    peers: addressOf(peer),
    except: "",
  };
}

/** The action; undefined while something is missing. */
export function toAction(
  { kind, minutes, paths, peers, except }: ActionForm,
  alert: StoredAlert | null,
): Action | undefined {
  const limitMs = minutes * 60_000;
  const excepted = peersOf(except);
  switch (kind) {
    case "kill":
      return alert?.process
        ? { kind, process: { pid: alert.process.pid, startTime: alert.process.startTime } }
        : undefined;
    case "deny-exec": {
      const programs = lines(paths);
      return programs.length === 0 ? undefined : { kind, limitMs, paths: programs, origins: [], onFailure: "open" };
    }
    case "deny-connect": {
      const denied = peersOf(peers);
      return denied.length === 0 ? undefined : { kind, limitMs, peers: denied, except: excepted, onFailure: "open" };
    }
    case "quarantine":
      return { kind, limitMs, except: excepted, onFailure: "open" };
    case "freeze":
    case "pause":
    case "cordon":
      return { kind, limitMs };
    case "stop":
    case "delete-pod":
      return { kind };
  }
}

/** `10.0.0.0/8`, or with a port behind a blank: `10.0.0.5 443`, `10.0.0.5 8000-8080`. */
function peersOf(text: string): ActionPeer[] {
  return lines(text).map((line) => {
    const [peer = "", ports] = line.split(/\s+/);
    if (ports === undefined) return { peer };
    const [first = 0, last = first] = ports.split("-").map(Number);
    return { peer, ports: [first, last] };
  });
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** `10.0.0.5:4444` and `[::1]:4444` without the port. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
