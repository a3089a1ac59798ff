/** `node e2e/console/serve.ts [PORT] [empty]`: the real server with sample data, to look at the console. */
import { fill } from "./samples.ts";
import { startWorld } from "./world.ts";

await using world = await startWorld(Number(process.argv[2] ?? 0));
if (process.argv[3] !== "empty") await fill(world);
console.log(await world.server.createLoginLink());
await new Promise((resolve) => process.once("SIGTERM", resolve).once("SIGINT", resolve));
