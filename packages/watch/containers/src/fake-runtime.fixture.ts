import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimePaths } from "./runtimes/index.ts";

export const nowhere: RuntimePaths = { containerd: [], docker: [], "cri-o": [], podman: [], runc: [], crun: [] };

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "bulwark-containers-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** An HTTP server on a unix socket. Ends with all of its connections. */
export async function serve(socket: string, listener: RequestListener): Promise<AsyncDisposable> {
  const server = createServer(listener);
  const open = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    open.add(connection);
    connection.on("close", () => open.delete(connection));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of open) connection.destroy();
      await closed;
    },
  };
}

export interface FakeDocker extends AsyncDisposable {
  /** By id; what `/containers/ID/json` answers. */
  readonly containers: Map<string, object>;
  /** What was asked so far, without `/events`. */
  readonly asked: string[];
  event(action: string, id: string): void;
}

/** Docker's API as far as it is asked, with answers in the shape of Docker 24. */
export async function fakeDocker(socket: string): Promise<FakeDocker> {
  const containers = new Map<string, object>();
  const asked: string[] = [];
  const streams = new Set<ServerResponse>();
  const server = await serve(socket, (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (path === "/events") {
      streams.add(response);
      response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
      return;
    }
    asked.push(path);
    const id = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    const ordered = /^\/containers\/([^/]+)\/(?:pause|unpause|stop)$/.exec(path)?.slice(1) ?? [];
    if (path === "/containers/json") {
      response.end(JSON.stringify([...containers.keys()].map((Id) => ({ Id, State: "running", Names: ["/x"] }))));
    } else if (id !== undefined && containers.has(id)) {
      response.end(JSON.stringify(containers.get(id)));
    } else if (request.method === "POST" && ordered.some((one) => containers.has(one))) {
      response.writeHead(204).end();
    } else {
      response.writeHead(404).end('{"message":"No such container"}');
    }
  });
  return {
    containers,
    asked,
    event(action, id) {
      const line = JSON.stringify({ status: action, id, Type: "container", Action: action, Actor: { ID: id } });
      for (const stream of streams) stream.write(`${line}\n`);
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

/** What `docker inspect` prints, cut to size. */
export function inspectedContainer(id: string, pid: number, host: object = {}, labels: object = {}): object {
  return {
    Id: id,
    Created: "2026-01-02T03:04:05.123456789Z",
    Name: "/web",
    Image: `sha256:${"5".repeat(64)}`,
    State: {
      Status: "running",
      Running: true,
      Paused: false,
      Pid: pid,
      StartedAt: "2026-01-02T03:04:06.5Z",
      FinishedAt: "0001-01-01T00:00:00Z",
    },
    Config: { Image: "registry.example/web:1", Labels: { team: "blue", ...labels }, Cmd: ["web"] },
    HostConfig: {
      Privileged: false,
      PidMode: "",
      NetworkMode: "bridge",
      IpcMode: "private",
      UTSMode: "",
      CapAdd: null,
      CapDrop: null,
      ...host,
    },
    GraphDriver: { Name: "overlay2", Data: { MergedDir: "/var/lib/docker/overlay2/x/merged" } },
    Mounts: [{ Type: "bind", Source: "/srv", Destination: "/data", Mode: "ro", RW: false, Propagation: "rprivate" }],
  };
}
