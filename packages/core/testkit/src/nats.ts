import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, freePort, startDaemon, type Daemon } from "./process.ts";

export interface TestNats extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
}

/** An own nats-server with JetStream in a temporary folder, on a free port of loopback or of another own address. Needs `nats`. */
export async function startNats({ address = "127.0.0.1" } = {}): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-nats-"));
  const port = await freePort();
  let daemon: Daemon | undefined;
  async function start(): Promise<void> {
    daemon = startDaemon("nats-server", ["-a", address, "-p", String(port), "-js", "-sd", folder], {
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` },
    });
    await eventually("nats-server answers", async () => answers(address, port));
  }
  await start();
  return {
    url: `nats://${address}:${port}`,
    async restart() {
      await daemon?.stop("SIGKILL");
      await start();
    },
    async [Symbol.asyncDispose]() {
      await daemon?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(address: string, port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once("data", () => done(true));
    socket.once("error", () => done(undefined));
    socket.setTimeout(1000, () => done(undefined));
    function done(answer: true | undefined): void {
      socket.destroy();
      resolve(answer);
    }
  });
}
