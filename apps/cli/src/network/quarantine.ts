import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Client } from "@bulwark/contract";
import type { ActionPeer, ActionRecord, WorkloadQuarantine } from "@bulwark/model";
import { jsonText } from "@bulwark/model/plain";
import type { Io } from "../command.ts";
import { askServer, serverFlags } from "../local/ask-server.ts";
import { UsageError } from "../local/options.ts";
import { printable } from "../local/text.ts";

const options = {
  ...serverFlags,
  cluster: { type: "string", default: "default" },
  minutes: { type: "string", default: "60" },
  except: { type: "string", multiple: true },
  reason: { type: "string" },
  closed: { type: "boolean" },
  "dry-run": { type: "boolean" },
  undo: { type: "boolean" },
  format: { type: "string" },
} as const;

const longestMinutes = 1440;
/** An order that no agent took is given up after a minute. */
const patience = 75_000;
const answersWithin = 10_000;

/** Cuts a workload from the network, says what that would do, or ends it. Without a workload: lists what is cut. */
export async function runQuarantine(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [name, ...more] = positionals;
  if (more.length > 0 || (name !== undefined && !/^[^/]+\/[^/]+$/.test(name))) {
    throw new UsageError("usage", `${positionals.join(" ")}: no workload`, {
      remedy: "NAMESPACE/NAME, as in shop/web",
    });
  }
  const { cluster } = values;
  return askServer(values, async (client) => {
    const { items } = await client.listWorkloadQuarantines({ query: { cluster } });
    if (name === undefined) {
      io.stdout.write(values.format === "json" ? jsonText(items) : listText(items));
      return 0;
    }
    const [namespace = "", workload = ""] = name.split("/");
    if (values.undo === true) {
      const found = items.find((one) => one.namespace === namespace && one.workload === workload);
      if (!found)
        throw new UsageError("usage", `${name} is not cut from the network`, {
          remedy: "see the list: without a name",
        });
      await client.undoWorkloadQuarantine({ params: { id: found.id } });
      io.stdout.write(`${printable(name)} may talk again\n`);
      return 0;
    }
    const { reason = "", closed } = values;
    if (reason.trim() === "") throw new UsageError("usage", "--reason: why?", { remedy: '--reason "odd traffic"' });
    const except = (values.except ?? []).map(peerOf);
    const limitMs = minutesOf(values.minutes) * 60_000;
    const onFailure = closed === true ? ("closed" as const) : ("open" as const);
    const wish = { cluster, namespace, workload, limitMs, except, onFailure, reason };
    if (values["dry-run"] === true) return tried(wish, client, values.format === "json", io);
    return ordered(wish, client, values.format === "json", io);
  });
}

type Wish = Omit<Parameters<Client["quarantineWorkload"]>[0]["body"], "dryRun">;

/** Waits some seconds for what agents say of it; they go on by themselves. */
async function ordered(wish: Wish, client: Client, isJson: boolean, io: Io): Promise<number> {
  const told = await client.quarantineWorkload({ body: { ...wish, dryRun: false } });
  const id = told.quarantine?.id ?? "";
  const end = performance.now() + answersWithin;
  let actions: ActionRecord[];
  do {
    await sleep(250);
    actions = (await client.listActions({ query: { quarantine: id, limit: 500 } })).items;
  } while (actions.length < told.containers && performance.now() < end);
  const cut = actions.filter(({ state }) => state === "done").length;
  if (isJson) io.stdout.write(jsonText({ ...told, actions }));
  else {
    for (const record of actions) if (record.state !== "done") io.stdout.write(recordText(record));
    const whole = `${wish.namespace}/${wish.workload}`;
    const until = new Date(told.quarantine?.until ?? 0).toISOString().slice(0, 16).replace("T", " ");
    io.stdout.write(`${printable(whole)}: ${cut} of ${running(told.containers)} cut from the network, `);
    io.stdout.write(`and those that come later, until ${until} UTC\n`);
  }
  return cut < told.containers ? 3 : 0;
}

async function tried(wish: Wish, client: Client, isJson: boolean, io: Io): Promise<number> {
  const { tries } = await client.quarantineWorkload({ body: { ...wish, dryRun: true } });
  const end = performance.now() + patience;
  const answers = await Promise.all(
    tries.map(async (one) => {
      let record: ActionRecord = one;
      while (record.state === "ordered" && performance.now() < end) {
        await sleep(500);
        record = await client.getAction({ params: { id: one.id } });
      }
      return record;
    }),
  );
  if (isJson) io.stdout.write(jsonText(answers));
  else {
    for (const record of answers) io.stdout.write(recordText(record));
    io.stdout.write(`${running(tries.length)} now; those that come later would be cut too\n`);
  }
  return answers.every(({ state, remedy }) => state === "dry-run" && remedy === "") ? 0 : 3;
}

function listText(items: readonly WorkloadQuarantine[]): string {
  if (items.length === 0) return "No workload is cut from the network.\n";
  const lines = items.map(({ cluster, namespace, workload, until, by, reason }) => {
    const when = new Date(until).toISOString().slice(0, 16).replace("T", " ");
    return `${printable(`${cluster}  ${namespace}/${workload}  until ${when} UTC, by ${by}: ${reason}`)}\n`;
  });
  return lines.join("");
}

function running(containers: number): string {
  return `${containers} ${containers === 1 ? "container that runs" : "containers that run"}`;
}

function recordText({ containerName, node, text, remedy, state }: ActionRecord): string {
  const said = text === "" ? state : `${text}${remedy === "" ? "" : `. ${remedy}`}`;
  return `${printable(`${containerName} on ${node}: ${said}`)}\n`;
}

/** `10.0.0.5`, `10.0.0.0/8:443`, `[2001:db8::1]:80-90`. */
function peerOf(text: string): ActionPeer {
  const match =
    /^(?:\[([0-9a-fA-F:.]+(?:\/\d+)?)\]|([\d.]+(?:\/\d+)?)|([0-9a-fA-F:]+(?:\/\d+)?))(?::(\d+)(?:-(\d+))?)?$/.exec(
      text,
    );
  const peer = match?.[1] ?? match?.[2] ?? match?.[3];
  if (match === null || peer === undefined) {
    throw new UsageError("usage", `--except ${text}: no address`, {
      remedy: "10.0.0.5, 10.0.0.0/8:443, [2001:db8::1]:80-90",
    });
  }
  const [from, to = from] = [match[4], match[5]];
  return from === undefined ? { peer } : { peer, ports: [Number(from), Number(to)] };
}

function minutesOf(text: string): number {
  const minutes = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (minutes >= 1 && minutes <= longestMinutes) return minutes;
  throw new UsageError("usage", `--minutes ${text}: no time`, { remedy: `from 1 to ${longestMinutes}` });
}
