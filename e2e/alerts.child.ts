/**
 * An agent's spool and way to the server in a process of its own, to be killed: raises alert after alert and prints the
 * number of each when it is on disk.
 */
import { sampleAlert } from "@bulwark/testkit";
import { startSender } from "./replicas.ts";

const [node = "", servers = "", token = "", folder = "", from = "0", to = "0"] = process.argv.slice(2);
const sender = await startSender({ node, servers: servers.split(","), token, folder });
for (let n = Number(from); n < Number(to); n++) {
  const alert = sampleAlert(n, { node, id: `${node}/run/alert-${n}`, time: Date.now(), container: null });
  await sender.emit([{ type: "alert", alert }]);
  process.stdout.write(`${n}\n`);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
while (sender.waiting() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
await sender[Symbol.asyncDispose]();
