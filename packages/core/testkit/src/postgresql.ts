import { appendFileSync, chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, freePort, run, startDaemon, type Daemon } from "./process.ts";

export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  /** As after a crash: `SIGQUIT`, then up again on the same data. */
  restart(): Promise<void>;
}

/**
 * An own PostgreSQL in a temporary folder, on a free port of loopback or of another own address. What it has acknowledged
 * outlives its processes; only when it is `durable`, for measurements, it waits for the disk too. Needs `postgresql`.
 */
export async function startPostgres({ address = "127.0.0.1", durable = false } = {}): Promise<TestPostgres> {
  const version =
    readdirSync("/usr/lib/postgresql")
      .toSorted((a, b) => Number(a) - Number(b))
      .at(-1) ?? "";
  const bin = `/usr/lib/postgresql/${version}/bin`;
  const folder = mkdtempSync(join(tmpdir(), "bulwark-postgres-"));
  const port = await freePort();
  // PostgreSQL refuses to run as root; its Debian package brings a user for it.
  const user = process.getuid?.() === 0 ? "postgres" : undefined;
  if (user) chownSync(folder, Number(run("id", ["-u", user])), Number(run("id", ["-g", user])));
  const asUser = (command: string, args: string[]): [string, string[]] =>
    user ? ["setpriv", [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", command, ...args]] : [command, args];

  const data = join(folder, "data");
  const layout = ["-D", data, "-U", "bulwark", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
  run(...asUser(join(bin, "initdb"), layout), { cwd: "/" });
  appendFileSync(join(data, "pg_hba.conf"), "host all all 10.0.0.0/8 trust\n");
  let daemon: Daemon | undefined;
  async function start(): Promise<void> {
    const settings = [
      "-p",
      String(port),
      "-k",
      folder,
      "-c",
      `listen_addresses=${address}`,
      "-c",
      "shared_buffers=256MB",
      "-c",
      "max_wal_size=4GB",
      "-c",
      `fsync=${durable ? "on" : "off"}`,
    ];
    daemon = startDaemon(...asUser(join(bin, "postgres"), ["-D", data, ...settings]), { cwd: "/" });
    await eventually("PostgreSQL answers", () => {
      run(join(bin, "pg_isready"), ["-h", address, "-p", String(port), "-q"]);
      return true;
    });
  }
  await start();
  run(join(bin, "createdb"), ["-h", address, "-p", String(port), "-U", "bulwark", "bulwark"]);
  return {
    url: `postgres://bulwark@${address}:${port}/bulwark`,
    async restart() {
      await daemon?.stop("SIGQUIT");
      await start();
    },
    async [Symbol.asyncDispose]() {
      await daemon?.stop("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
