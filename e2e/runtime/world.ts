/** Containers of bare runc under the eyes of an agent's own watcher: sensor, process table, detectors, rules. */
import { spawn, type SpawnOptions } from "node:child_process";
import { existsSync, linkSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openContainers } from "@bulwark/containers";
import { rulesDetector } from "@bulwark/detect";
import type { Alert } from "@bulwark/model";
import { openRules, type RuleEvent } from "@bulwark/rules";
import { buildSensor } from "@bulwark/sensor";
import { createLogger } from "@bulwark/telemetry";
import { eventually, makeRootfs, run, runWithRunc, type RuncContainer, type RuncOptions } from "@bulwark/testkit";
import { Watcher } from "../../apps/agent/src/watcher.ts";

export interface World extends AsyncDisposable {
  readonly folder: string;
  /** All that were raised so far. */
  readonly alerts: readonly Alert[];
  alertsOf(container: RuncContainer): Alert[];
  /** Rules that hold of what happened in a container, or outside of all, those among them that a detector has spoken for. */
  rulesOf(container?: RuncContainer): ReadonlySet<string>;
  /** Starts a container and waits until it is known. */
  start(options?: RuncOptions): Promise<RuncContainer>;
}

export async function startWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  await buildSensor();
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runtime-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const root = join(folder, "runc");
  mkdirSync(root);
  const none = { containerd: [], docker: [], "cri-o": [], podman: [], crun: [] };
  const registry = stack.use(await openContainers({ node: "node", paths: { ...none, runc: [root] } }));
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
  const log = createLogger("test");
  log.level = "silent";
  const watcher = stack.use(
    new Watcher({
      ...{ node: "node", host: false, registry, rules: rulesDetector(noting), log },
      ...{ pods: undefined, flows: undefined, network: undefined },
      emit: (records) => alerts.push(...records.flatMap((record) => (record.type === "alert" ? [record.alert] : []))),
    }),
  );
  await watcher.start();
  const { state, reason } = watcher.health();
  if (state !== "ok") throw new Error(`the sensor: ${state}, ${reason}`);
  const containers = new AsyncDisposableStack();
  stack.use(containers);
  const open = stack.move();
  return {
    folder,
    alerts,
    alertsOf: ({ id }) => alerts.filter(({ container }) => container?.id === id),
    rulesOf: (container) => held.get(container?.id ?? "host") ?? new Set(),
    async start(options = {}) {
      const container = containers.use(runWithRunc({ overlay: true, root, ...options }));
      const known = async (): Promise<unknown> => {
        await registry.refresh();
        return registry.byId(container.id);
      };
      await eventually("the container is known", known, 120_000);
      return container;
    },
    [Symbol.asyncDispose]: async () => open.disposeAsync(),
  };
}

/** How a script comes into a container. */
export interface Entrance {
  /** Another user than root. */
  user?: number;
  /** With a terminal, as `kubectl exec -it` has one. */
  terminal?: boolean;
  /** A folder of the host that stays open as descriptor 3 (CVE-2024-21626). */
  leak?: string;
  /** Milliseconds that it may take; a minute by default. */
  patience?: number;
}

/** Runs a shell script in a container. Resolves when it is over, however it ended; raises when it takes too long. */
export async function doIn(
  { root, id }: RuncContainer,
  script: string,
  { user, terminal, leak, patience = 60_000 }: Entrance = {},
): Promise<string> {
  const flags = [
    ...(user === undefined ? [] : ["--user", String(user)]),
    ...(leak === undefined ? [] : ["--preserve-fds", "1"]),
  ];
  const words = [
    "runc",
    "--root",
    root,
    "exec",
    ...flags,
    ...(terminal === true ? ["-t"] : []),
    id,
    "sh",
    "-c",
    script,
  ];
  const stdio: SpawnOptions["stdio"] = ["ignore", "pipe", "pipe"];
  if (leak !== undefined) stdio.push(openSync(leak, "r"));
  const [program = "", ...rest] =
    terminal === true ? ["script", "--quiet", "--command", words.map(quoted).join(" "), "/dev/null"] : words;
  const child = spawn(program, rest, { stdio, timeout: patience, killSignal: "SIGKILL" });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  // Not "close": what goes on in the background keeps the pipes.
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) =>
    child.once("exit", (...how) => resolve(how)).once("error", reject),
  );
  if (signal !== null) throw new Error(`${words.join(" ")}: ${signal}: ${said}`);
  return code === 0 ? said : `${said} (${code})`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Programs of attackers and of others, by name; all of them are one that does nothing (deeds.c). */
const names = [
  ...["apt-get", "chattr", "chisel", "chmod", "crackmapexec", "curl", "debugfs", "deepce", "docker", "gcc", "hydra"],
  ...["insmod", "iptables", "java", "nginx", "nmap", "redis-server", "setenforce", "shred", "socat", "ssh", "sudo"],
  ...["tcpdump", "useradd", "xmrig"],
];
const applets = ["chroot", "date", "ln", "mknod", "nsenter", "telnet", "umount", "unshare", "usleep", "grep", "base64"];
/** What is read of, or written to, by somebody who has no business there. */
const files = [
  ...["etc/shadow", "etc/hosts", "root/.aws/credentials", "root/.ssh/id_rsa", "root/.docker/config.json"],
  ...["root/.bash_history", "root/.netrc", "var/log/wtmp", "var/log/app.log", "var/lib/etcd/member", "etc/passwd"],
];
const folders = [
  ...["etc/cron.d", "etc/systemd/system", "etc/pam.d", "etc/ssl/certs", "etc/apt", "etc/kubernetes/manifests"],
  ...["usr/bin", "usr/lib", "var/www/html", "host", "mnt", "opt/bin", "var/run/secrets/kubernetes.io/serviceaccount"],
];

/** The image of the containers that are attacked: busybox, `/opt/bin` with those names, and files worth a look. */
export function makeVictim(folder: string): string {
  mkdirSync(folder);
  makeRootfs(folder);
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  for (const name of files) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), "root:x:0:0:root:/:/bin/sh\n");
  }
  for (const name of applets)
    if (!existsSync(join(folder, "bin", name))) symlinkSync("busybox", join(folder, "bin", name));
  const deeds = join(folder, "bin/deeds");
  run("clang", ["-static", "-O1", "-Wall", "-Wno-unused-result", "-o", deeds, join(import.meta.dirname, "deeds.c")]);
  for (const name of names) linkSync(deeds, join(folder, "opt/bin", name));
  return folder;
}
