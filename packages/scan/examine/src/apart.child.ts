/** Work for the test of `runApart`: does what it is told. */
import { setTimeout } from "node:timers/promises";
import { serveApart } from "./apart.ts";

serveApart(async (job, onProgress) => {
  if (job === "raise") throw new Error("on purpose");
  if (job === "end") process.exit(3);
  if (job === "answer") return { job };
  const kept: Buffer[] = [];
  for (;;) {
    if (job === "take") kept.push(Buffer.alloc(20_000_000, 1));
    onProgress(kept.length);
    await setTimeout(20);
  }
});
