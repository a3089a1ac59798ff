import type { RuncOptions } from "@bulwark/testkit";
import { join } from "node:path";
import type { Entrance } from "./entrance.ts";
import type { Place } from "./technique.ts";
import { clusterMounts, hostMounts, makeVictim } from "./victim.ts";
import type { Watch } from "./watch.ts";
import { doIn, startWorld } from "./world.ts";

/** Where techniques are tried: containers of one runtime, and who watches them. */
export interface Site extends Pick<Watch, "alerts" | "rulesOf">, AsyncDisposable {
  /** Starts a container and waits until it is known. */
  start(place: Place): Promise<Victim>;
}

/** A container that is attacked. */
export interface Victim {
  readonly id: string;
  readonly pid: number;
  /** Runs a shell script in it. Resolves when it is over, however it ended; raises when it takes too long. */
  doIn(script: string, by?: Entrance): Promise<string>;
}

export async function runcSite(): Promise<Site> {
  const world = await startWorld();
  const victim = makeVictim(join(world.folder, "victim"));
  const options: Record<Place, RuncOptions> = {
    plain: { rootfs: victim },
    privileged: { rootfs: victim, privileged: true, mounts: hostMounts },
    host: { rootfs: victim, hostNamespaces: ["pid"], mounts: clusterMounts(world.folder) },
    node: { rootfs: victim, privileged: true, hostNamespaces: ["pid"] },
    tools: { rootfs: "/", mounts: [{ source: process.execPath, target: "/opt/node" }] },
  };
  return {
    ...world,
    async start(place) {
      const container = await world.start(options[place]);
      return { id: container.id, pid: container.pid, doIn: async (script, by) => doIn(container, script, by) };
    },
  };
}
