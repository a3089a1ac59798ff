import type { StoredAlert } from "@bulwark/model";
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { withRepeats } from "./repeats.ts";
import { listenTo } from "./stream.ts";

/** However much happens, a question is asked again at most this often. */
const pause = 2000;

/** Keeps what is shown up to date with the stream. Lists keep themselves (`live-list.ts`). */
export function keepFresh(client: QueryClient): () => void {
  const waiting = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function soon(...key: QueryKey): void {
    waiting.set(JSON.stringify(key), key);
    timer ??= setTimeout(flush, pause);
  }

  function flush(): void {
    timer = undefined;
    for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey });
    waiting.clear();
  }

  const stops = [
    listenTo("alert", (alert) => {
      if (client.getQueryData(["alert", alert.id])) client.setQueryData(["alert", alert.id], alert);
      soon("overview");
      if (alert.container) soon("alerts-of", alert.container.id);
      if (alert.container?.pod) {
        soon("alerts-of-object");
        soon("kube-object");
      }
    }),
    listenTo("repeats", ({ repeats }) => {
      for (const told of repeats) {
        client.setQueryData<StoredAlert>(["alert", told.alert], (alert) => alert && withRepeats(alert, told));
      }
    }),
    listenTo("container", (container) => {
      if (client.getQueryData(["container", container.id])) client.setQueryData(["container", container.id], container);
      soon("overview");
    }),
    listenTo("image", (image) => {
      soon("overview");
      soon("image", image.key);
    }),
    listenTo("finding", ({ image }) => {
      soon("overview");
      soon("image", image);
      soon("finding");
    }),
    listenTo("cluster", () => {
      soon("clusters");
      soon("cluster");
      soon("kube-object");
    }),
    listenTo("action", (action) => {
      if (client.getQueryData(["action", action.id])) client.setQueryData(["action", action.id], action);
      // A person waits for this.
      void client.invalidateQueries({ queryKey: ["actions-of", action.container] });
    }),
    listenTo("network", ({ what }) => {
      // A map asks again by itself; one that has nothing to show waits for the first flow.
      const answers = client.getQueriesData<{ items: unknown[] }>({ queryKey: ["network-edges"] });
      if (what === "flows" && answers.some(([, answer]) => answer?.items.length === 0)) soon("network-edges");
      if (what === "policies")
        for (const key of ["network-edges", "network-policies", "network-documents", "network-document"]) soon(key);
    }),
    listenTo("health", () => {
      soon("overview");
      soon("health");
    }),
    listenTo("reset", () => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" })),
  ];
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}
