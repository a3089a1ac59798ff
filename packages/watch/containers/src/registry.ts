import type { Component, Container, RuntimeKind } from "@bulwark/model";

/** One container runtime on this machine. A new runtime is a file in `runtimes/` with one of these. */
export interface RuntimeSource extends AsyncDisposable {
  readonly kind: RuntimeKind;
  /** Everything that it knows of now. Raises `RuntimeError`. */
  list(): Promise<Container[]>;
  /** Calls `changed` whenever containers came, went or changed, by the runtime's own events where it has them. */
  watch(changed: () => void): Promise<Watch>;
}

/** For `openContainerdContent`. */
export interface ContentPlace {
  socket: string;
  namespace: string;
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
  /** Looks again now; resolves when done. At most one look runs at a time. */
  refresh(): Promise<void>;
  on(event: "started" | "stopped" | "changed", listener: (container: Container) => void): () => void;
  health(): Component[];
}
