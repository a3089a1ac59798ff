import { useCallback, useEffect, useRef, useState } from "react";
import type { LiveList } from "./live-list.ts";
import { listenTo, type StreamMessages } from "./stream.ts";

const pause = 2000;

/**
 * Fetches a list anew when the server tells of a change that may move its rows: by itself while only its first page is
 * loaded, else when the reader says so (`changed` is then true), because rows would move under their eyes.
 */
export function useRefreshed<T>(list: LiveList<T>, topics: readonly (keyof StreamMessages)[]) {
  const [changed, setChanged] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(list);
  latest.current = list;

  useEffect(() => {
    const hear = (): void => {
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        if (latest.current.pages <= 1) latest.current.refetch();
        else setChanged(true);
      }, pause);
    };
    const stops = topics.map((topic) => listenTo(topic, hear));
    return () => {
      clearTimeout(timer.current);
      timer.current = undefined;
      for (const stop of stops) stop();
    };
  }, [topics]);

  const refresh = useCallback(() => {
    setChanged(false);
    latest.current.refetch();
  }, []);
  return { changed, refresh };
}
