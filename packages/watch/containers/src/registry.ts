import type { Component, Container, RuntimeKind } from "@bulwark/model";

/** One kind of container runtime on this machine. A new runtime is a new file with one of these. */
export interface RuntimeSource extends AsyncDisposable {
  readonly kind: RuntimeKind;
  /** Everything that it knows of now. */
  list(): Promise<Container[]>;
  /**
   * Calls `changed` when containers came, went or changed, by the runtime's own events where it has them. Where
   * `containerId` is given only that one changed. Rejects where the runtime cannot be reached.
   */
  watch(changed: (containerId?: string) => void): Promise<AsyncDisposable>;
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
  /** Looks again now; resolves when done. At most one look runs at a time. */
  refresh(): Promise<void>;
  on(event: "started" | "stopped" | "changed", listener: (container: Container) => void): () => void;
  health(): Component[];
}
