/** Containers that are over at once: each attack is told, as its container's, or it is counted that something is not. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, missing, run, startContainerd } from "@bulwark/testkit";
import { runIn } from "./entrance.ts";
import { makeVictim } from "./victim.ts";
import { startWatch, type Watch } from "./watch.ts";

/** Runs containers in the foreground, one after another: nothing is left of one when its run resolves. */
interface Runner {
  watch: Watch;
  /** What it says, which is nothing where nothing goes wrong. */
  run(id: string, args: readonly string[]): Promise<string>;
}

async function runcRunner(stack: AsyncDisposableStack): Promise<Runner> {
  const folder = temporaryFolder(stack);
  const victim = makeVictim(join(folder, "victim"));
  const root = join(folder, "runc");
  mkdirSync(root);
  return {
    watch: stack.use(await startWatch({ node: "node", paths: { runc: [root] } })),
    async run(id, args) {
      const bundle = join(folder, id);
      mkdirSync(bundle);
      run("runc", ["spec"], { cwd: bundle });
      const file = join(bundle, "config.json");
      const spec = JSON.parse(readFileSync(file, "utf8")) as { process: object; root: object };
      const process = { ...spec.process, terminal: false, args, env: ["PATH=/bin:/opt/bin"] };
      writeFileSync(file, JSON.stringify({ ...spec, process, root: { path: victim, readonly: true } }));
      return runIn(["runc", "--root", root, "run", "--bundle", bundle, id]);
    },
  };
}

async function containerdRunner(stack: AsyncDisposableStack): Promise<Runner> {
  const victim = makeVictim(join(temporaryFolder(stack), "victim"));
  const containerd = stack.use(await startContainerd());
  const { name: image } = containerd.importImage("registry.example/bulwark/victim:1", victim);
  const { socket, namespace } = containerd;
  return {
    watch: stack.use(await startWatch({ node: "node", paths: { containerd: [socket] } })),
    run: async (id, args) =>
      runIn(["ctr", "--address", socket, "--namespace", namespace, "run", "--rm", image, id, ...args]),
  };
}

function temporaryFolder(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-runtime-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const common = ["root", "bpf", "clang", "runc", "busybox"] as const;
overAtOnce("runc", missing(...common), runcRunner);
overAtOnce("containerd", missing(...common, "containerd"), containerdRunner);

function overAtOnce(
  runtime: string,
  skip: string | false,
  open: (stack: AsyncDisposableStack) => Promise<Runner>,
): void {
  describe(`containers of ${runtime} that are over at once`, { skip }, () => {
    const stack = new AsyncDisposableStack();
    let runner: Runner;
    before(async () => void (runner = await open(stack)));
    after(async () => stack.disposeAsync());

    /** Runs thirty, and waits until it is known of each what came of its attack, or until no more comes. */
    async function thirty(name: string, args: (id: string) => readonly string[]) {
      const { watch } = runner;
      const unknown = (): number => watch.counters()["unknown.container"] ?? 0;
      const earlier = unknown();
      const ids = Array.from({ length: 30 }, (_, n) => `${name}-${n}`);
      for (const id of ids) assert.equal(await runner.run(id, args(id)), "");
      /** As the attack names itself, and as its alert does. */
      const alerts = () =>
        watch.alerts
          .filter(({ rule }) => rule === "attack-tool-executed")
          .map(({ attribution, container, process }) => ({
            own: process?.arguments[1] ?? "",
            told: (attribution === "container" && container?.id) || "",
          }))
          .filter(({ own }) => ids.includes(own));
      const ofNobody = () => watch.ofNobody.flatMap(([, own = ""]) => (ids.includes(own) ? [own] : []));
      // An event waits for two seconds for its container.
      await eventually(
        "all are known of",
        () => alerts().length + ofNobody().length >= ids.length || undefined,
        5000,
      ).catch(() => undefined);
      return {
        ids,
        own: alerts().map(({ own }) => own),
        told: alerts().map(({ told }) => told),
        ofNobody: ofNobody(),
        /** Also those of whatever containers this machine has besides. */
        counted: unknown() - earlier,
      };
    }

    test("thirty that live fifty milliseconds: each attack is told, and is its container's", async () => {
      const script = (id: string): string => `/opt/bin/deepce ${id}; usleep 50000`;
      const { ids, own, told } = await thirty("short", (id) => ["sh", "-c", script(id)]);
      // One that waits for its container lets others pass.
      assert.deepEqual(own.toSorted(), ids.toSorted());
      assert.deepEqual(told, own);
    });

    for (const busy of [false, true]) {
      const beside = busy ? " beside busy processors" : "";
      test(`thirty that live a millisecond${beside}: no attack is another container's, and what is not told is counted`, async (t) => {
        const loops = busy ? cpus().map(() => spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" })) : [];
        try {
          const { ids, own, told, ofNobody, counted } = await thirty(busy ? "busy" : "shortest", (id) => [
            "/opt/bin/deepce",
            id,
          ]);
          t.diagnostic(`${own.length} are told; ${ofNobody.length} are nobody's; ${counted} events are`);
          assert.deepEqual(told, own);
          assert.deepEqual([...own, ...ofNobody].toSorted(), ids.toSorted(), "what is not told is known of");
          assert.ok(counted >= ofNobody.length, "and counted");
          if (!busy) assert.ok(ofNobody.length <= 10, "most are told");
        } finally {
          for (const loop of loops) loop.kill("SIGKILL");
        }
      });
    }
  });
}
