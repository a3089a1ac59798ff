/** Containers of bare runc under the eyes of an agent's own watcher. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Alert } from "@bulwark/model";
import { runWithRunc, type RuncContainer, type RuncOptions } from "@bulwark/testkit";
import { runIn, type Entrance } from "./entrance.ts";
import { startWatch, type Watch, type WatchOptions } from "./watch.ts";

export { makeVictim } from "./victim.ts";

export interface World extends Watch {
  readonly folder: string;
  alertsOf(container: { id: string }): Alert[];
  /** Starts a container and waits until it is known. */
  start(options?: RuncOptions): Promise<RuncContainer>;
}

export async function startWorld({ eventRate }: Pick<WatchOptions, "eventRate"> = {}): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runtime-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, "runc");
  mkdirSync(root);
  const watch = stack.use(await startWatch({ node: "node", eventRate, paths: { runc: [root] } }));
  const containers = stack.use(new AsyncDisposableStack());
  const open = stack.move();
  return {
    ...watch,
    folder,
    alertsOf: ({ id }) => watch.alerts.filter(({ container }) => container?.id === id),
    async start(options = {}) {
      const container = containers.use(runWithRunc({ overlay: true, root, ...options }));
      await watch.known(container.id);
      return container;
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}

/** Runs a shell script in a container. Resolves when it is over, however it ended; raises when it takes too long. */
export async function doIn({ root, id }: RuncContainer, script: string, by: Entrance = {}): Promise<string> {
  const flags = [
    ...(by.user === undefined ? [] : ["--user", String(by.user)]),
    ...(by.leak === undefined ? [] : ["--preserve-fds", "1"]),
    ...(by.terminal === true ? ["-t"] : []),
  ];
  return runIn(["runc", "--root", root, "exec", ...flags, id, "sh", "-c", script], by);
}
