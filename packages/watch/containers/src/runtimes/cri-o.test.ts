import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { container as schema } from "@bulwark/model";
import { eventually } from "@bulwark/testkit";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { nowhere, temporaryFolder } from "../fake-runtime.fixture.ts";
import { openContainers } from "../open.ts";

const [one, two] = ["1".repeat(64), "2".repeat(64)];
const noPid = 4_194_000;

interface FakeCrio extends AsyncDisposable {
  readonly containers: Map<string, { state: string; answer: object }>;
  readonly asked: string[];
  event(id: string): void;
}

/** The interface as far as it is asked, with answers in the shape of CRI-O 1.30. */
async function fakeCrio(socket: string, options: { events: boolean }): Promise<FakeCrio> {
  const definition = loadSync(join(import.meta.dirname, "../../proto/cri.proto"), { keepCase: true, longs: String });
  const { runtime } = loadPackageDefinition(definition) as unknown as {
    runtime: { v1: { RuntimeService: { service: ServiceDefinition } } };
  };
  const containers: FakeCrio["containers"] = new Map();
  const asked: string[] = [];
  const streams = new Set<ServerWritableStream<unknown, unknown>>();
  const server = new Server();
  server.addService(runtime.v1.RuntimeService.service, {
    ListContainers(_: unknown, done: sendUnaryData<object>) {
      asked.push("list");
      done(null, { containers: Array.from(containers, ([id, { state }]) => ({ id, state })) });
    },
    ContainerStatus({ request }: ServerUnaryCall<{ container_id: string }, object>, done: sendUnaryData<object>) {
      asked.push(request.container_id);
      const found = containers.get(request.container_id)?.answer;
      if (found) done(null, found);
      else done({ code: status.NOT_FOUND, details: "could not find container" });
    },
    GetContainerEvents(call: ServerWritableStream<unknown, unknown>) {
      if (options.events) streams.add(call);
      else call.emit("error", { code: status.UNIMPLEMENTED, details: "not enabled" });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  return {
    containers,
    asked,
    event: (id) => {
      for (const stream of streams) stream.write({ container_id: id });
    },
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function statusOf(id: string, info: object): { state: string; answer: object } {
  const labels = {
    "io.kubernetes.pod.name": "shop-1",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "uid-1",
    "io.kubernetes.container.name": "web",
  };
  const answer = {
    status: {
      id,
      metadata: { name: "web" },
      state: "CONTAINER_RUNNING",
      created_at: "1767323045000000000",
      started_at: "1767323046500000000",
      image: { image: "5".repeat(64), user_specified_image: "registry.example/web:1" },
      image_ref: `registry.example/web@sha256:${"5".repeat(64)}`,
      labels,
    },
    info: { info: JSON.stringify(info) },
  };
  return { state: "CONTAINER_RUNNING", answer };
}

const spec = {
  root: { path: "/var/lib/containers/storage/overlay/x/merged" },
  process: { capabilities: { effective: ["CAP_CHOWN"] } },
  mounts: [{ destination: "/data", source: "/srv", type: "bind", options: ["ro"] }],
  linux: { namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "uts" }, { type: "mount" }], seccomp: {} },
};

test("cri-o: a container is told as the interface and its specification tell it", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "crio.sock");
  await using crio = await fakeCrio(socket, { events: true });
  crio.containers.set(one, statusOf(one, { sandboxID: "x", pid: noPid, runtimeSpec: spec, privileged: false }));
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, "cri-o": [socket] } });
  assert.deepEqual(schema.parse(registry.byId(one)), {
    id: one,
    node: "here",
    runtime: "cri-o",
    runtimeNamespace: "",
    name: "web",
    image: { name: "registry.example/web:1", digest: `sha256:${"5".repeat(64)}` },
    labels: {
      "io.kubernetes.pod.name": "shop-1",
      "io.kubernetes.pod.namespace": "shop",
      "io.kubernetes.pod.uid": "uid-1",
      "io.kubernetes.container.name": "web",
    },
    pod: { name: "shop-1", namespace: "shop", uid: "uid-1", container: "web" },
    state: "running",
    startedAt: 1_767_323_046_500,
    finishedAt: null,
    pid: noPid,
    rootfs: "/var/lib/containers/storage/overlay/x/merged",
    mounts: [{ source: "/srv", target: "/data", type: "bind", readOnly: true }],
    capabilities: ["CAP_CHOWN"],
    privileged: false,
    hostNamespaces: ["net"],
  });
});

for (const events of [true, false]) {
  test(`cri-o: start and stop are seen within two seconds ${events ? "by events" : "where it has no events"}`, async () => {
    using folder = temporaryFolder();
    const socket = join(folder.path, "crio.sock");
    await using crio = await fakeCrio(socket, { events });
    crio.containers.set(one, statusOf(one, { pid: noPid, runtimeSpec: spec }));
    await using registry = await openContainers({ node: "here", paths: { ...nowhere, "cri-o": [socket] } });
    const told: string[] = [];
    for (const event of ["started", "stopped"] as const) registry.on(event, ({ id }) => told.push(`${event} ${id}`));
    // The looks that follow the opening would hide that no event came.
    await new Promise((resolve) => setTimeout(resolve, 1800));
    crio.containers.set(two, statusOf(two, { pid: noPid, runtimeSpec: spec }));
    crio.event(two);
    await eventually("the start", () => (told.includes(`started ${two}`) ? true : undefined), 2000);
    crio.containers.set(two, { ...statusOf(two, {}), state: "CONTAINER_EXITED" });
    crio.event(two);
    await eventually("the stop", () => (told.includes(`stopped ${two}`) ? true : undefined), 2000);
    assert.equal(crio.asked.filter((id) => id === one).length, 1, "what does not change is asked once");
  });
}

test("cri-o: without the verbose part, and gone between two calls, nothing fails", async () => {
  using folder = temporaryFolder();
  const socket = join(folder.path, "crio.sock");
  await using crio = await fakeCrio(socket, { events: true });
  crio.containers.set(one, { state: "CONTAINER_RUNNING", answer: { status: { id: one, state: "CONTAINER_RUNNING" } } });
  crio.containers.set(two, { state: "CONTAINER_RUNNING", answer: {} });
  await using registry = await openContainers({ node: "here", paths: { ...nowhere, "cri-o": [socket] } });
  assert.deepEqual(
    registry.containers().map(({ id, pid, pod }) => ({ id, pid, pod })),
    [{ id: one, pid: null, pod: null }],
  );
  assert.equal(registry.health()[0]?.state, "ok");
});
