/** The thread of an update: unpacking and writing take seconds, in which nobody else shall wait. */
import { parentPort, workerData } from "node:worker_threads";
import { errorText } from "@bulwark/model/plain";
import { build } from "./build.ts";
import { collect } from "./source.ts";

/** What the thread is given, and what it says. */
export interface UpdateJob {
  into: string;
  from: string | undefined;
}
export type UpdateMessage =
  | { type: "progress"; text: string }
  | { type: "done" }
  | { type: "failed"; text: string; nothing: boolean };

const { into, from } = workerData as UpdateJob;
const say = (message: UpdateMessage): void => parentPort?.postMessage(message);

try {
  const files = await collect({
    from,
    cache: `${into}.feeds`,
    onProgress: (text) => say({ type: "progress", text }),
  });
  if (files.every(({ file }) => file === undefined)) {
    const reason = files[0]?.error ?? `no feed below ${from ?? ""}`;
    say({ type: "failed", text: reason, nothing: true });
  } else {
    await build(into, files, (name) => say({ type: "progress", text: `read ${name}` }), Date.now());
    say({ type: "done" });
  }
} catch (error) {
  say({ type: "failed", text: errorText(error), nothing: false });
}
