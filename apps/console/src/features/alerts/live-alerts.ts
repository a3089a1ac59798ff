import type { StoredAlert } from "@bulwark/model";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../../api/client.ts";
import { useLiveList, type LiveList } from "../../api/live-list.ts";
import { listenTo } from "../../api/stream.ts";
import { matches, newerFirst } from "./match.ts";
import type { AlertSearch } from "./search.ts";

type Filter = Omit<AlertSearch, "id">;

/** Alerts that come together are shown together. */
const gather = 200;
const freshFor = 2000;
const largestPage = 500;

export interface LiveAlerts extends LiveList<StoredAlert> {
  /** Alerts that came and are not shown yet, because the reader is further down. */
  waiting: number;
  show: () => void;
  setTop: (top: boolean) => void;
  /** Ids that have just come. */
  fresh: ReadonlySet<string>;
}

const idOf = (alert: StoredAlert): string => alert.id;

/** The list of alerts with what the stream brings: at the top when the reader is there, else on demand. */
export function useLiveAlerts(filter: Filter): LiveAlerts {
  const list = useLiveList<StoredAlert>({
    queryKey: ["alerts", filter],
    fetchPage: async (cursor) =>
      api.listAlerts({ query: { ...filter, severity: filter.severity?.join(","), cursor, limit: 100 } }),
    idOf,
    order: newerFirst,
  });
  const key = JSON.stringify(filter);
  const [waiting, setWaiting] = useState<StoredAlert[]>([]);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const top = useRef(true);
  const latest = useRef({ list, filter });
  latest.current = { list, filter };

  const place = useCallback((alerts: StoredAlert[]) => {
    latest.current.list.insert(alerts);
    setFresh(new Set(alerts.map(idOf)));
    setTimeout(() => setFresh(new Set()), freshFor);
  }, []);

  useEffect(() => {
    setWaiting([]);
    let batch = new Map<string, StoredAlert>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;

    const take = async (): Promise<void> => {
      timer = undefined;
      const arrived = [...batch.values()];
      batch = new Map();
      const fitting = await select(arrived, latest.current.filter);
      if (left) return;
      const known = new Set(latest.current.list.rows.map(idOf));
      const wanted = new Map(fitting.map((alert) => [alert.id, alert]));
      latest.current.list.change(
        new Map(arrived.filter(({ id }) => known.has(id)).map((alert) => [alert.id, wanted.get(alert.id)])),
      );
      setWaiting((old) => old.filter(({ id }) => !arrived.some((alert) => alert.id === id)));
      const added = fitting.filter(({ id }) => !known.has(id));
      if (added.length === 0) return;
      if (top.current) place(added);
      else setWaiting((old) => [...old, ...added]);
    };
    const stop = listenTo("alert", (alert) => {
      batch.set(alert.id, alert);
      timer ??= setTimeout(() => void take(), gather);
    });
    return () => {
      left = true;
      clearTimeout(timer);
      stop();
    };
  }, [key, place]);

  const show = useCallback(() => {
    setWaiting([]);
    place(waiting);
  }, [waiting, place]);
  const setTop = useCallback((value: boolean) => {
    top.current = value;
  }, []);
  return useMemo(
    () => ({ ...list, waiting: waiting.length, show, setTop, fresh }),
    [list, waiting.length, show, setTop, fresh],
  );
}

/** Which of these the list shows. Only the server knows what its search finds, so it is asked about these. */
async function select(alerts: StoredAlert[], filter: Filter): Promise<StoredAlert[]> {
  const fitting = alerts.filter((alert) => matches(alert, filter));
  if (filter.q === undefined || fitting.length === 0) return fitting;
  const times = fitting.map(({ time }) => time);
  try {
    const { items } = await api.listAlerts({
      query: {
        ...filter,
        severity: filter.severity?.join(","),
        since: Math.min(...times),
        until: Math.max(...times),
        limit: largestPage,
      },
    });
    const found = new Set(items.map(idOf));
    return fitting.filter(({ id }) => found.has(id));
  } catch {
    // The server is away: the stream's next `reset` has the whole list fetched anew.
    return [];
  }
}
