import { hostname } from "node:os";
import { basename } from "node:path";
import { parseArgs, styleText } from "node:util";
import { createRun, detectors, type Anomaly } from "@bulwark/anomaly";
import { isHost, openContainers } from "@bulwark/containers";
import { ProcessTable, steadyClock } from "@bulwark/detect";
import { createDirectory, endText, type Flow } from "@bulwark/flow";
import type { Container } from "@bulwark/model";
import { jsonLine, printable } from "@bulwark/model/plain";
import { startSensor, type Sensor, type SensorRecord, type TrafficRecord } from "@bulwark/sensor";
import { createTraffic, hostNetwork, workloadOf, type Owner } from "@bulwark/traffic";
import type { Io } from "../command.ts";
import { untilStopped } from "../local/lifetime.ts";
import { UsageError } from "../local/options.ts";
import { fit } from "../local/text.ts";

const options = {
  format: { type: "string" },
  every: { type: "string" },
  detect: { type: "boolean" },
  stats: { type: "boolean" },
} as const;

/** `watch`: the flows of this machine's containers, a line each, until it is stopped. */
export async function runWatch(args: string[], io: Io): Promise<number> {
  const { format = "table", every = "1", detect = false, stats = false } = parseArgs({ args, options }).values;
  if (format !== "table" && format !== "json") {
    throw new UsageError("usage", `--format ${format}: no such format`, { remedy: "table or json" });
  }
  const seconds = Number(every);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new UsageError("usage", `--every ${every}: no number of seconds`, { remedy: "0.1 to 3600" });
  }
  const say = (value: object, text: () => string): void => {
    io.stdout.write(format === "json" ? jsonLine(value) : text());
  };
  const run = createRun(detect ? detectors : [], { profile: null, badList: null }, (anomaly) =>
    say({ type: "anomaly", anomaly }, () => anomalyLine(anomaly)),
  );
  const counted = await watch(seconds * 1000, (flow) => {
    say({ type: "flow", flow }, () => flowLine(flow));
    run.see(flow);
  });
  if (stats) io.stderr.write(`${JSON.stringify(counted)}\n`);
  if (counted.lost > 0) io.stderr.write(`error: ${counted.lost} packets or connections found no room to be counted\n`);
  return counted.lost > 0 ? 3 : 0;
}

async function watch(everyMs: number, emit: (flow: Flow) => void): Promise<{ lost: number } & Record<string, number>> {
  await using registry = await openContainers({ node: hostname() });
  const table = new ProcessTable();
  const clock = steadyClock();
  const early: TrafficRecord[] = [];
  let sensor: Sensor | undefined;
  let lost = 0;
  const traffic = createTraffic({
    ownerOf(pid, startTime): Owner {
      const process = table.get(pid, startTime);
      const container = process && registry.byCgroup(process.cgroups);
      if (process && !container && isHost(process.cgroups)) return null;
      if (!container) void registry.refresh();
      return container && { workload: workloadOf(container), process: basename(process.executable) || process.name };
    },
    epochMs: (time) => sensor?.epochMs(time) ?? Date.now(),
    directory: createDirectory(),
    hostNetwork: hostNetwork(),
    emit,
  });
  const ended = Promise.withResolvers<never>();
  sensor = await startSensor({
    onRecords(records: SensorRecord[]) {
      for (const record of records) {
        table.apply(record, clock());
        if (record.type === "loss") lost = Number(record.flows + record.ring + record.pipe);
      }
    },
    flows: {
      everyMs,
      // Times mean something once it has started.
      onTraffic: (records) => (sensor ? traffic.take(records) : void early.push(...records)),
    },
    onExit: ended.reject,
  });
  if (!sensor.hooks.some(({ event }) => event === "flow")) {
    await sensor.close();
    throw new UsageError("usage", "this kernel does not let flows be counted", {
      remedy: "it takes Linux 5.13 and a cgroup hierarchy of version 2",
    });
  }
  const know = (container: Container): void => {
    if (container.pid !== null) traffic.know(workloadOf(container), container.pid, container.startedAt ?? Date.now());
  };
  for (const container of registry.containers()) know(container);
  traffic.take(early);
  const settling = setInterval(() => traffic.settle(), 100);
  registry.on("started", (container) => {
    know(container);
    traffic.settle();
  });
  try {
    await Promise.race([untilStopped(), ended.promise]);
  } finally {
    clearInterval(settling);
    await sensor.close();
    await registry.refresh();
    traffic.end();
  }
  return { ...traffic.counters, lost };
}

const colours = {
  established: "green",
  refused: "yellow",
  "timed-out": "yellow",
  denied: "red",
  unknown: "gray",
} as const;

function flowLine(flow: Flow): string {
  const { client, server, port, protocol, result, first, process, tls, clear, dns, connections } = flow;
  const time = new Date(first).toISOString().slice(11, 23);
  const ends = `${fit(printable(endText(client)), 28)} → ${fit(printable(endText(server)), 34)}`;
  if (dns) {
    const answer = dns.addresses.length > 0 ? dns.addresses.join(" ") : (dns.code ?? "");
    return `${time} ${ends} ${printable(`${dns.type} ${dns.name} = ${answer}`)}\n`;
  }
  const name = tls?.serverName ?? null;
  const words = [
    `${protocol} ${port}`,
    `${styleText(colours[result], result)} × ${connections}`,
    `↑ ${bytesText(flow.bytesOut)} ↓ ${bytesText(flow.bytesIn)}`,
    process === null ? "" : `by ${process}`,
    tls ? `TLS ${tls.version ?? "?"}${name === null ? "" : ` to ${name}`}` : "",
    clear === null ? "" : `${clear} in clear text${flow.credential ? ", with a password" : ""}`,
  ];
  return `${time} ${ends} ${printable(words.filter((word) => word !== "").join("  "))}\n`;
}

function anomalyLine({ severity, title, subject, peer, port, explanation, time }: Anomaly): string {
  const when = new Date(time).toISOString().slice(11, 23);
  const head = styleText("red", `${severity}: ${title}`);
  return `${when} ${head}  ${printable(`${subject} → ${peer} port ${port}: ${explanation}`)}\n`;
}

function bytesText(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(0)} MB`;
}
