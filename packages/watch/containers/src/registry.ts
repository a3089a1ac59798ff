import type { Component, Container, RuntimeKind } from "@bulwark/model";
import type { ProcessFacts } from "./process.ts";

/** A kind of container runtime. A new one is a file in `runtimes/` with one of these, and a line in `runtimes/index.ts`. */
export interface Runtime {
  readonly kind: RuntimeKind;
  /** Sockets or folders where it is by itself. `*` stands for any one name: `/run/user/…/crun`. */
  readonly paths: readonly string[];
  /** Does not fail and does not connect: what is wrong shows when it is asked. */
  open(path: string, node: string): Promise<RuntimeSource>;
}

/** One container runtime on this machine. */
export interface RuntimeSource extends AsyncDisposable {
  /**
   * The containers that live now (created with a process, running, paused), and of those that have stopped what it still
   * has. `startedAt` may be null where the runtime does not say; it is then taken from the process. Raises `RuntimeError`.
   */
  list(): Promise<Container[]>;
  /**
   * What was seen of the first process of a container that is over, for one that was never told alive. Without it such a
   * container is passed over, as nobody can tell which processes were its own.
   */
  factsOf?(container: Container): ProcessFacts | undefined;
  /** Absent where the runtime takes no such orders. Raises `RuntimeError`. */
  control?(container: Container, order: RuntimeOrder): Promise<void>;
  /** Calls `changed` whenever containers came, went or changed, by the runtime's own events where it has them. */
  watch(changed: () => void): Promise<Watch>;
  /** The images that it has, each by one name. Absent where it does not tell. Raises `RuntimeError`. */
  images?(): Promise<NodeImage[]>;
}

/** `stop` asks the container to end, and ends it when it does not. */
export type RuntimeOrder = "pause" | "resume" | "stop";

/** Who has an image: containerd (`openContainerdContent`), or what speaks Docker's API. */
export interface ContentPlace {
  runtime: "containerd" | "docker" | "podman";
  socket: string;
  /** containerd's; empty elsewhere. */
  namespace: string;
}

/** An image that a runtime has, whether it runs or not. */
export interface NodeImage {
  name: string;
  digest: string;
  place: ContentPlace;
}

export interface Watch extends AsyncDisposable {
  /** Resolves or rejects when no more changes will be told: the runtime went away. */
  readonly ended: Promise<void>;
}

/**
 * The containers of this machine, from every runtime that can be found. Runtimes that come later (a socket appears)
 * are taken up; one that goes away is said in `health()` and retried.
 */
export interface ContainerRegistry extends AsyncDisposable {
  /** Containers that run or stopped within the last minute. A container that two runtimes tell of (Docker and its containerd, containerd and its runc) appears once, as the richest tells it. */
  containers(): Container[];
  /** The container of a cgroup path, by the path or its nearest ancestor. `undefined`: not known (yet). */
  byCgroup(paths: readonly string[]): Container | undefined;
  byId(id: string): Container | undefined;
  /** The content store that the container's image came from, where its runtime has one that can be read. */
  contentOf(container: Container): ContentPlace | undefined;
  /** Has the container's own runtime do it. Raises `RuntimeError`, also where the runtime takes no such orders. */
  control(container: Container, order: RuntimeOrder): Promise<void>;
  /** Every image of this machine, of the runtimes that answer. */
  images(): Promise<NodeImage[]>;
  /** Looks again now; resolves when done. At most one look at a runtime runs at a time, and at most five in a second. */
  refresh(): Promise<void>;
  /**
   * `started` when its process runs, `stopped` when it does not any more, `changed` for everything else. A restart is told
   * as both. What runs already when the registry opens is in `containers()`.
   */
  on(event: "started" | "stopped" | "changed", listener: (container: Container) => void): () => void;
  health(): Component[];
}
