import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BulwarkError, errorText, systemCode, type Container } from "@bulwark/model";
import type { HandlerOf, Lack } from "../action.ts";
import { attempt } from "../attempt.ts";
import { whyNot } from "../guard.ts";
import { cgroupsOf } from "../process.ts";

/** How long the kernel may take to stop every process; one that waits for a disk stops when that answered. */
const patience = 3000;
const step = 20;

/**
 * Stops every process of a container where it is, by its cgroup. They keep their memory and their connections, which time
 * out on the other side; thawed, they go on. Documentation/admin-guide/cgroup-v2.rst, `cgroup.freeze`; version 1:
 * freezer-subsystem.rst.
 */
export const freeze: HandlerOf<"freeze"> = {
  plan: (_action, container) => `freeze ${container.name}`,
  async lack({ container }) {
    const found = await find(container);
    return "freezer" in found ? undefined : found;
  },
  async act({ container }) {
    const found = await find(container);
    if (!("freezer" in found)) return { ok: false, ...found };
    const { freezer: its } = found;
    return attempt(async () => {
      try {
        await its.set(true);
      } catch (error) {
        await its.set(false).catch(() => undefined);
        throw new BulwarkError("failed", `${its.file}: ${systemCode(error) ?? errorText(error)}; it was thawed again`, {
          remedy: "Look at processes that wait for a device.",
        });
      }
      return { text: `frozen by ${its.file}`, undo: async () => thaw(its) };
    });
  },
};

async function find(container: Container): Promise<{ freezer: Freezer } | Lack> {
  const pid = container.pid ?? 0;
  const reason = await whyNot(pid, container);
  if (reason !== undefined) return { text: reason, remedy: "Nothing is to be done." };
  const its = await findFreezer(pid);
  if (its !== undefined) return { freezer: its };
  return {
    text: "the container has no cgroup that can be frozen",
    remedy: "Mount cgroup version 2, or the freezer controller of version 1, where the agent runs.",
  };
}

async function thaw(freezer: Freezer): Promise<string> {
  await freezer.set(false);
  return `thawed by ${freezer.file}`;
}

interface Freezer {
  file: string;
  /** Resolves when every process has stopped, or goes on. */
  set(frozen: boolean): Promise<void>;
}

async function findFreezer(pid: number): Promise<Freezer | undefined> {
  const [cgroups, mounts] = await Promise.all([cgroupsOf(pid), readFile("/proc/self/mounts", "utf8")]);
  const mountOf = (type: string, option: string) =>
    mounts
      .split("\n")
      .map((line) => line.split(" "))
      .find(([, , kind, options = ""]) => kind === type && (option === "" || options.split(",").includes(option)))?.[1];
  const v2 = cgroups.get("");
  const root2 = mountOf("cgroup2", "");
  if (v2 !== undefined && v2 !== "/" && root2 !== undefined) {
    const folder = join(root2, v2);
    if (existsSync(join(folder, "cgroup.freeze"))) {
      return freezer(join(folder, "cgroup.freeze"), ["1", "0"], join(folder, "cgroup.events"), [
        "frozen 1",
        "frozen 0",
      ]);
    }
  }
  const v1 = [...cgroups].find(([controllers]) => controllers.split(",").includes("freezer"))?.[1];
  const root1 = mountOf("cgroup", "freezer");
  if (v1 === undefined || v1 === "/" || root1 === undefined) return undefined;
  const file = join(root1, v1, "freezer.state");
  return freezer(file, ["FROZEN", "THAWED"], file, ["FROZEN", "THAWED"]);
}

function freezer(file: string, words: [string, string], state: string, expected: [string, string]): Freezer {
  return {
    file,
    async set(frozen) {
      const index = frozen ? 0 : 1;
      await writeFile(file, words[index]);
      for (let waited = 0; waited < patience; waited += step) {
        if ((await readFile(state, "utf8")).includes(expected[index])) return;
        await pause(step);
      }
      throw new Error(`not ${frozen ? "frozen" : "thawed"} after ${patience / 1000} s`);
    },
  };
}
