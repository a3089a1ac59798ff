import type { StreamTopic } from "@bulwark/contract";
import type { ActionRecord, Component, Container, ImageSummary, RepeatsOf, StoredAlert } from "@bulwark/model";
import { useSyncExternalStore } from "react";

/** What a message of each topic carries. */
export interface StreamMessages {
  alert: StoredAlert;
  /** Alerts that happened again, with all that there is of each until now. */
  repeats: { repeats: RepeatsOf[] };
  container: Container;
  image: ImageSummary;
  finding: { image: string };
  health: Component;
  action: ActionRecord;
  /** How many objects of each kind have changed. */
  cluster: { cluster: string; kinds: Record<string, number> };
  /** Flows came (at most every few seconds), or what was published of policies has changed. */
  network: { cluster: string; what: "flows" | "policies" };
  /** Messages were lost: what is shown must be fetched anew. */
  reset: undefined;
}
type Name = keyof StreamMessages;
type Listener<N extends Name> = (data: StreamMessages[N]) => void;

export type StreamState = "connecting" | "live" | "cut";

const topics = [
  "alert",
  "repeats",
  "container",
  "image",
  "finding",
  "health",
  "cluster",
  "action",
  "network",
] as const satisfies readonly StreamTopic[];
const listeners = new Map<Name, Set<Listener<Name>>>();
const stateListeners = new Set<() => void>();
/** A short gap is the browser's own business; one that lasts is said. */
const patience = 2500;
const longestWait = 30_000;

let state: StreamState = "connecting";
let source: EventSource | undefined;
let wait = 1000;
let lost = false;
let retryTimer: ReturnType<typeof setTimeout> | undefined;
let cutTimer: ReturnType<typeof setTimeout> | undefined;
let onRefused = (): void => {};

/** Opens the one stream of this page. `refused` is called when the server closes it for good: the session may be over. */
export function openStream(refused: () => void): () => void {
  onRefused = refused;
  connect();
  addEventListener("online", connectNow);
  return () => {
    removeEventListener("online", connectNow);
    clearTimeout(retryTimer);
    clearTimeout(cutTimer);
    source?.close();
    source = undefined;
    setState("connecting");
  };
}

function connect(): void {
  source?.close();
  source = new EventSource(`/api/v1/stream?topics=${topics.join(",")}`);
  source.addEventListener("ready", opened);
  source.addEventListener("reset", () => {
    opened();
    emit("reset", undefined);
  });
  for (const topic of topics) {
    source.addEventListener(topic, ({ data }: MessageEvent<string>) => emit(topic, JSON.parse(data) as never));
  }
  source.addEventListener("error", failed);
}

function connectNow(): void {
  if (state === "live") return;
  clearTimeout(retryTimer);
  connect();
}

function opened(): void {
  clearTimeout(cutTimer);
  cutTimer = undefined;
  wait = 1000;
  setState("live");
  // A new stream does not know where the old one ended.
  if (lost) emit("reset", undefined);
  lost = false;
}

function failed(): void {
  cutTimer ??= setTimeout(() => setState("cut"), patience);
  if (source?.readyState !== EventSource.CLOSED) return;
  lost = true;
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, wait);
  wait = Math.min(wait * 2, longestWait);
  onRefused();
}

function emit<N extends Name>(name: N, data: StreamMessages[N]): void {
  for (const listener of listeners.get(name) ?? []) (listener as Listener<N>)(data);
}

function setState(next: StreamState): void {
  if (state === next) return;
  state = next;
  for (const listener of stateListeners) listener();
}

export function listenTo<N extends Name>(name: N, listener: Listener<N>): () => void {
  const set = listeners.get(name) ?? new Set();
  listeners.set(name, set);
  set.add(listener as Listener<Name>);
  return () => void set.delete(listener as Listener<Name>);
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener);
      return () => void stateListeners.delete(listener);
    },
    () => state,
  );
}
