import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startContainerd, type ContainerOptions } from "@bulwark/testkit";
import { runIn } from "./entrance.ts";
import type { Site } from "./site.ts";
import type { Place } from "./technique.ts";
import { clusterMounts, hostMounts, makeVictim, toolMounts } from "./victim.ts";
import { startWatch } from "./watch.ts";

/** Containers of a containerd, with images, shims and snapshots. */
export async function containerdSite(): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runtime-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const containerd = stack.use(await startContainerd());
  const { name: image } = containerd.importImage(
    "registry.example/bulwark/victim:1",
    makeVictim(join(folder, "victim")),
  );
  const watch = stack.use(await startWatch({ node: "node", paths: { containerd: [containerd.socket] } }));
  const options: Record<Place, ContainerOptions> = {
    plain: {},
    privileged: { privileged: true, mounts: hostMounts },
    // Of this process: that of the first process may not be looked at.
    host: { flags: ["--with-ns", `pid:/proc/${process.pid}/ns/pid`], mounts: clusterMounts(folder) },
    node: { privileged: true, flags: ["--with-ns", `pid:/proc/${process.pid}/ns/pid`] },
    tools: { mounts: toolMounts() },
  };
  const open = stack.move();
  return {
    ...watch,
    async start(place) {
      const { id, pid } = containerd.run({ image, ...options[place] });
      await watch.known(id);
      const ctr = ["ctr", "--address", containerd.socket, "--namespace", containerd.namespace, "task", "exec"];
      return {
        id,
        pid,
        async doIn(script, by = {}) {
          const flags = [
            ...["--exec-id", `e${process.hrtime.bigint()}`],
            ...(by.user === undefined ? [] : ["--user", String(by.user)]),
            ...(by.terminal === true ? ["-t"] : []),
          ];
          return runIn([...ctr, ...flags, id, "sh", "-c", script], by);
        },
      };
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}
