import { fork, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { errorText } from "@bulwark/model/plain";

export interface ApartOptions {
  /** Bytes of memory, all of it: heap, buffers, WebAssembly. What needs more is ended. 1 GB. */
  memory?: number | undefined;
  /** Milliseconds. A quarter of an hour. */
  timeLimit?: number | undefined;
  /** As of nice(1): 19, the lowest, takes only what nobody else wants. */
  nice?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: unknown) => void) | undefined;
}

type Word = { progress: unknown } | { answer: unknown } | { error: string };

const memoryLook = 200;

/**
 * Runs the work that `module` serves (`serveApart`) in a process of its own: with a low priority, so that it takes what
 * others leave of the processors; ended when it takes more memory or time than it may; and a hostile input ends only
 * this. Raises what the work raised, or why it was ended.
 */
export async function runApart(module: URL, job: unknown, options: ApartOptions = {}): Promise<unknown> {
  const { memory = 1e9, timeLimit = 900_000, nice = 19, signal, onProgress } = options;
  signal?.throwIfAborted();
  const child = fork(fileURLToPath(module), [String(nice)], {
    serialization: "advanced",
    execArgv: ["--disable-warning=ExperimentalWarning", `--max-old-space-size=${Math.round((memory * 0.6) / 1e6)}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const ended = Promise.withResolvers<never>();
  // Asked for in `race` below, whichever way that ends.
  ended.promise.catch(() => undefined);
  const end = (reason: string): void => ended.reject(new Error(reason));
  const timers = [
    setTimeout(() => end(`it took longer than ${Math.round(timeLimit / 1000)} s`), timeLimit),
    setInterval(() => {
      if (residentBytes(child) > memory) end(`it needed more than ${Math.round(memory / 1e6)} MB of memory`);
    }, memoryLook),
  ];
  const aborted = (): void => end("it was broken off");
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    return await Promise.race([answerOf(child, job, onProgress), ended.promise]);
  } finally {
    signal?.removeEventListener("abort", aborted);
    for (const timer of timers) clearInterval(timer);
    child.kill("SIGKILL");
  }
}

async function answerOf(child: ChildProcess, job: unknown, onProgress: ApartOptions["onProgress"]): Promise<unknown> {
  let said = "";
  child.stderr?.on("data", (text: Buffer) => (said = (said + text.toString("utf8")).slice(-4096)));
  return new Promise((resolve, reject) => {
    child.on("message", (word: Word) => {
      if ("progress" in word) onProgress?.(word.progress);
      else if ("error" in word) reject(new Error(word.error));
      else resolve(word.answer);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => reject(new Error(endOf(code, signal, said))));
    child.send({ job }, (error) => error && reject(error));
  });
}

function endOf(code: number | null, signal: string | null, said: string): string {
  if (/heap out of memory|heap limit/i.test(said)) return "it needed more memory than it may take";
  const last = said.trim().split("\n").at(-1) ?? "";
  return `the process ended (${signal ?? `status ${code ?? "?"}`})${last === "" ? "" : `: ${last.slice(0, 300)}`}`;
}

/** 0 where the system does not tell. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    // proc_pid_status(5): in kB, whatever the size of the machine's pages.
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The other end of `runApart`: call it once, in a module of its own. The process ends with whoever started it. */
export function serveApart(work: (job: unknown, onProgress: (progress: unknown) => void) => Promise<unknown>): void {
  yieldToOthers();
  process.once("disconnect", () => process.exit(1));
  process.once("message", ({ job }: { job: unknown }) => {
    const say = (word: Word): boolean => process.send?.(word) ?? false;
    void work(job, (progress) => say({ progress }))
      .then((answer): Word => ({ answer }))
      .catch((error: unknown): Word => ({ error: errorText(error) }))
      .then(say);
  });
}

/** Priority is a thread's own on Linux, and a new thread has that of the one which starts it. */
function yieldToOthers(): void {
  const nice = Number(process.argv[2] ?? 19);
  try {
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), nice);
  } catch {
    // A system without /proc: the process alone, or nothing.
    try {
      setPriority(nice);
    } catch {
      return;
    }
  }
}
