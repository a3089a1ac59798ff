import type { StoredAlert } from "@bulwark/model";
import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
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
const nothing: StoredAlert[] = [];

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
  const [waiting, setWaiting] = useState<{ key: string; alerts: StoredAlert[] }>({ key, alerts: nothing });
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const top = useRef(true);
  const { insert } = list;
  // What waited for another filter waits no more.
  const held = waiting.key === key ? waiting.alerts : nothing;

  const place = useCallback(
    (alerts: StoredAlert[]) => {
      insert(alerts);
      setFresh(new Set(alerts.map(idOf)));
      setTimeout(() => setFresh(new Set()), freshFor);
    },
    [insert],
  );

  const sort = useEffectEvent((arrived: StoredAlert[], fitting: StoredAlert[]) => {
    const known = new Set(list.rows.map(idOf));
    const wanted = new Map(fitting.map((alert) => [alert.id, alert]));
    list.change(new Map(arrived.filter(({ id }) => known.has(id)).map(({ id }) => [id, wanted.get(id)])));
    const rest = held.filter(({ id }) => !arrived.some((alert) => alert.id === id));
    const added = fitting.filter(({ id }) => !known.has(id));
    if (top.current && added.length > 0) place(added);
    setWaiting({ key, alerts: top.current ? rest : [...rest, ...added] });
  });
  const currentFilter = useEffectEvent(() => filter);

  useEffect(() => {
    let batch = new Map<string, StoredAlert>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;

    const take = async (): Promise<void> => {
      timer = undefined;
      const arrived = [...batch.values()];
      batch = new Map();
      const asked = currentFilter();
      const fitting = await select(arrived, asked);
      if (left) return;
      // Another filter meanwhile: its own first page has, or will have, what came.
      if (JSON.stringify(currentFilter()) === JSON.stringify(asked)) sort(arrived, fitting);
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
  }, []);

  const show = useCallback(() => {
    setWaiting({ key, alerts: nothing });
    place(held);
  }, [key, held, place]);
  const setTop = useCallback((value: boolean) => {
    top.current = value;
  }, []);
  return useMemo(
    () => ({ ...list, waiting: held.length, show, setTop, fresh }),
    [list, held.length, show, setTop, fresh],
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
