import type { RepeatsOf, StoredAlert } from "@bulwark/model";
import { useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { api } from "../../api/client.ts";
import { useLiveList, type LiveList } from "../../api/live-list.ts";
import { withRepeats } from "../../api/repeats.ts";
import { listenTo } from "../../api/stream.ts";
import { matches, newerFirst } from "./match.ts";
import type { AlertSearch } from "./search.ts";

type Filter = Omit<AlertSearch, "id">;

/** Alerts that come together are shown together. */
const gather = 200;
const freshFor = 2000;
const largestPage = 500;
const nothing: StoredAlert[] = [];

/** What came since the list was changed last, by ids. */
interface Arrivals {
  alerts: Map<string, StoredAlert>;
  repeats: Map<string, RepeatsOf>;
}

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

  const sort = useEffectEvent(({ alerts, repeats }: Arrivals, fitting: StoredAlert[]) => {
    const counted = (alert: StoredAlert): StoredAlert => {
      const told = repeats.get(alert.id);
      return told ? withRepeats(alert, told) : alert;
    };
    const known = new Set(list.rows.map(idOf));
    const wanted = new Map(fitting.map((alert) => [alert.id, alert]));
    const changes = list.rows.flatMap((row) => {
      const next = alerts.has(row.id) ? wanted.get(row.id) : row;
      const change = next && counted(next);
      return change === row ? [] : [[row.id, change] as const];
    });
    if (changes.length > 0) list.change(new Map(changes));
    const rest = held.filter(({ id }) => !alerts.has(id)).map(counted);
    const added = fitting.filter(({ id }) => !known.has(id)).map(counted);
    if (top.current && added.length > 0) place(added);
    const isSame = alerts.size === 0 && rest.every((alert, index) => alert === held[index]);
    if (!isSame) setWaiting({ key, alerts: top.current ? rest : [...rest, ...added] });
  });
  const currentFilter = useEffectEvent(() => filter);

  useEffect(() => {
    let batch = nothingCame();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;

    const take = async (): Promise<void> => {
      const arrived = batch;
      batch = nothingCame();
      const asked = currentFilter();
      const fitting = await select([...arrived.alerts.values()], asked);
      if (left) return;
      // Another filter meanwhile: its own first page has, or will have, what came.
      if (JSON.stringify(currentFilter()) === JSON.stringify(asked)) sort(arrived, fitting);
      // Not before: what is told again of an alert finds it in the list.
      timer = undefined;
      if (batch.alerts.size + batch.repeats.size > 0) soon();
    };
    const soon = (): void => {
      timer ??= setTimeout(() => void take(), gather);
    };
    const stops = [
      listenTo("alert", (alert) => {
        batch.alerts.set(alert.id, alert);
        soon();
      }),
      listenTo("repeats", ({ repeats }) => {
        for (const told of repeats) batch.repeats.set(told.alert, told);
        soon();
      }),
    ];
    return () => {
      left = true;
      clearTimeout(timer);
      for (const stop of stops) stop();
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

function nothingCame(): Arrivals {
  return { alerts: new Map(), repeats: new Map() };
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
