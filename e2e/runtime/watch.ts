/** What an agent's own watcher tells of containers: sensor, process table, detectors, rules. */
import { openContainers, type ContainersOptions } from "@bulwark/containers";
import { rulesDetector, type Detector, type ProcessTable } from "@bulwark/detect";
import type { Kube } from "@bulwark/kube";
import type { Alert } from "@bulwark/model";
import { openRules, type RuleEvent } from "@bulwark/rules";
import { buildSensor } from "@bulwark/sensor";
import { createLogger } from "@bulwark/telemetry";
import { eventually } from "@bulwark/testkit";
import { PodBook } from "../../apps/agent/src/pods.ts";
import { Watcher } from "../../apps/agent/src/watcher.ts";

export interface Watch extends AsyncDisposable {
  /** All that were raised so far. */
  readonly alerts: readonly Alert[];
  /** Rules that hold of what happened in a container, or outside of all, those among them that a detector has spoken for. */
  rulesOf(id: string | undefined): ReadonlySet<string>;
  /** What the agent says of its sensor, among it what was lost. */
  counters(): Readonly<Record<string, number>>;
  readonly watcher: Pick<Watcher, "ask" | "enforcer">;
  /** How many programs were seen to start in that container. */
  startsOf(id: string): number;
  /** Programs that started in nobody knows which container, with their arguments. */
  readonly ofNobody: readonly (readonly string[])[];
  /** How many processes the table holds. */
  processes(): number;
  /** Resolves when the container is known. */
  known(id: string): Promise<void>;
}

export interface WatchOptions {
  node: string;
  /** Runtimes that are looked at; no others are. */
  paths: ContainersOptions["paths"];
  /** Events that a container may make in a second; as an agent has it where absent. */
  eventRate?: number | undefined;
  /** Of the API server that knows the node's pods. */
  connect?: () => Kube;
}

export async function startWatch({ node, paths, eventRate = 20_000, connect }: WatchOptions): Promise<Watch> {
  await using stack = new AsyncDisposableStack();
  await buildSensor();
  const none = { containerd: [], docker: [], "cri-o": [], podman: [], crun: [], runc: [] };
  const registry = stack.use(await openContainers({ node, paths: { ...none, ...paths } }));
  const alerts: Alert[] = [];
  const held = new Map<string, Set<string>>();
  const { engine } = openRules({ files: [], disabled: [] });
  const noting = {
    match(event: RuleEvent) {
      const found = engine.match(event);
      for (const { rule } of found) {
        const id = String(event.get("container.full_id"));
        held.set(id, (held.get(id) ?? new Set()).add(rule.id));
      }
      return found;
    },
  };
  const starts = new Map<string, number>();
  const ofNobody: (readonly string[])[] = [];
  let table: ProcessTable | undefined;
  const rules = (): Detector => {
    const { detect, ...about } = rulesDetector(noting);
    return {
      ...about,
      detect(observation) {
        ({ table } = observation);
        const id = observation.container?.id;
        if (observation.kind === "exec" && id !== undefined) starts.set(id, (starts.get(id) ?? 0) + 1);
        else if (observation.kind === "exec" && observation.attribution === "unknown")
          ofNobody.push(observation.process.arguments);
        return detect(observation);
      },
    };
  };
  const log = createLogger("test");
  log.level = "silent";
  let settle = (): void => undefined;
  const pods = connect && stack.use(new PodBook({ node, connect, log, changed: () => settle() }));
  const watcher = stack.use(
    new Watcher({
      ...{ node, host: false, registry, pods, log, flows: undefined, network: undefined },
      ...{ eventRate, lossLimit: 100, asks: {} },
      rules,
      emit: (records) => alerts.push(...records.flatMap((record) => (record.type === "alert" ? [record.alert] : []))),
    }),
  );
  settle = () => watcher.settle();
  await watcher.start();
  const { state, reason } = watcher.health();
  if (state !== "ok") throw new Error(`the sensor: ${state}, ${reason}`);
  const open = stack.move();
  return {
    alerts,
    ofNobody,
    watcher,
    counters: () => watcher.health().counters,
    startsOf: (id) => starts.get(id) ?? 0,
    processes: () => table?.size ?? 0,
    rulesOf: (id) => held.get(id ?? "host") ?? new Set(),
    async known(id) {
      const known = async (): Promise<unknown> => {
        await registry.refresh();
        return registry.byId(id);
      };
      await eventually("the container is known", known, 120_000);
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}
