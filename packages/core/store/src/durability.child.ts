/** For the durability test: takes events in without end, and says after each batch what the store has promised. */
import { writeSync } from "node:fs";
import { sampleAlert, sampleEvent } from "@bulwark/testkit";
import type { AgentRecord } from "@bulwark/model";
import { openStore } from "./open.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("path of the data file");
const store = await openStore({ sqlite: path });
const size = 50;
for (let first = 1; ; first += size) {
  const records = Array.from({ length: size }, (_, n): AgentRecord => {
    const number = first + n;
    return n === 0
      ? { type: "alert", alert: sampleAlert(number, { id: `alert-${number}` }) }
      : { type: "event", event: sampleEvent(number, { id: String(number) }) };
  });
  const { stored } = await store.ingest.write({ node: "node-1", spool: "s", first, records }, Date.now());
  writeSync(1, `${stored}\n`);
}
