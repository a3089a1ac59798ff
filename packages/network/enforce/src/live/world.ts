/** Pods without containers: a network namespace and a cgroup each, joined by a bridge, with something that serves and something that probes. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { eventually, run } from "@bulwark/testkit";

export interface TestPod {
  /** `namespace/name` */
  readonly name: string;
  readonly ips: readonly string[];
}

interface Probe {
  /** The last three are first packets of TCP by a raw socket: member.c. */
  readonly protocol: "TCP" | "UDP" | "MPTCP" | "SYN" | "OPT" | "PART";
  readonly ip: string;
  readonly port: number;
  /** Only how long it is waited for depends on it. */
  readonly expected: boolean;
}

export interface World extends AsyncDisposable {
  /** Path of a pod's cgroup in the version 2 hierarchy. */
  cgroupOf(pod: string): string;
  /** Tries all at once; whether each got through. */
  probe(pod: string, probes: readonly Probe[]): Promise<boolean[]>;
}

export const servedPorts = [80, 81];

/** Addresses are of 192.168.0.0/16 and fd00:19::/64. */
export async function makeWorld(pods: readonly TestPod[]): Promise<World> {
  const id = `bwe${randomBytes(3).toString("hex")}`;
  const hierarchy = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1] ?? "";
  const root = join(hierarchy, id);
  const folder = mkdtempSync(join(tmpdir(), "bulwark-enforce-"));
  const program = join(folder, "member");
  run("clang", ["-static", "-O1", "-Wall", "-Werror", "-o", program, join(import.meta.dirname, "member.c")]);
  const places = pods.map((pod, index) => ({ ...pod, namespace: `${id}-${index}`, folder: join(root, `${index}`) }));
  mkdirSync(root);
  for (const place of places) mkdirSync(place.folder);
  batch(["netns add", `${id}-br`].join(" "), ...places.map(({ namespace }) => `netns add ${namespace}`));
  inside(`${id}-br`, "link add br0 type bridge", "link set br0 up", ...links(places));
  for (const { namespace, ips } of places) {
    const addresses = ips.map((ip) =>
      ip.includes(":") ? `addr add ${ip}/64 dev eth0 nodad` : `addr add ${ip}/16 dev eth0`,
    );
    inside(namespace, "link set lo up", ...addresses, "link set eth0 up");
  }
  const children: ChildProcess[] = [];
  const probers = new Map<string, { child: ChildProcess; lines: AsyncIterator<string> }>();
  for (const { name, namespace, folder: cgroup } of places) {
    for (const role of ["serve", "probe"]) {
      const where = [join(cgroup, "cgroup.procs"), `/run/netns/${namespace}`];
      const more = role === "serve" ? servedPorts.map(String) : [];
      const child = spawn(program, [...where, role, ...more], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      const lines = linesOf(createInterface({ input: child.stdout }));
      await lines.next();
      if (role === "probe") probers.set(name, { child, lines });
    }
  }
  return {
    cgroupOf: (pod) => `/${id}/${places.findIndex(({ name }) => name === pod)}`,
    async probe(pod, probes) {
      const prober = probers.get(pod);
      if (!prober) throw new Error(`no pod ${pod}`);
      const text = probes.map(
        ({ protocol, ip, port, expected }) =>
          `${protocol.toLowerCase()} ${ip} ${port} ${expected ? "open" : "closed"}\n`,
      );
      prober.child.stdin?.write(`${text.join("")}\n`);
      const { value } = await prober.lines.next();
      if (typeof value !== "string" || value.length !== probes.length) throw new Error(`the prober of ${pod} ended`);
      return [...value].map((character) => character === ".");
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      for (const { namespace } of places) batch(`netns delete ${namespace}`);
      batch(`netns delete ${id}-br`);
      rmSync(folder, { recursive: true });
      await eventually("the cgroups are empty", () => {
        try {
          for (const place of places) rmdirSync(place.folder);
          rmdirSync(root);
          return true;
        } catch (error) {
          // Those that are gone already are not there the next time.
          for (const place of places) quietly(() => rmdirSync(place.folder));
          quietly(() => rmdirSync(root));
          if ((error as NodeJS.ErrnoException).code !== "ENOENT" && (error as NodeJS.ErrnoException).code !== "EBUSY")
            throw error;
          return undefined;
        }
      });
    },
  };

  function batch(...lines: string[]): void {
    const file = join(folder, "batch");
    writeFileSync(file, `${lines.join("\n")}\n`);
    run("ip", ["-batch", file]);
  }
  function inside(namespace: string, ...lines: string[]): void {
    const file = join(folder, "batch");
    writeFileSync(file, `${lines.join("\n")}\n`);
    run("ip", ["-n", namespace, "-batch", file]);
  }
}

function links(places: readonly { namespace: string }[]): string[] {
  return places.flatMap(({ namespace }, index) => [
    `link add p${index} type veth peer name eth0 netns ${namespace}`,
    `link set p${index} master br0 up`,
  ]);
}

function linesOf(lines: Interface): AsyncIterator<string> {
  return lines[Symbol.asyncIterator]();
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Gone, or not empty yet.
  }
}
