import { useCallback, useEffect, useEffectEvent, useState } from "react";
import type { LiveList } from "./live-list.ts";
import { listenTo, type StreamMessages } from "./stream.ts";

const pause = 2000;

/**
 * Fetches a list anew when the server tells of a change that may move its rows: by itself while only its first page is
 * loaded, else when the reader says so (`changed` is then true), because rows would move under their eyes.
 */
export function useRefreshed<T>(list: LiveList<T>, topics: readonly (keyof StreamMessages)[]) {
  const [changed, setChanged] = useState(false);
  const { refetch } = list;
  const look = useEffectEvent(() => {
    if (list.pages <= 1) refetch();
    else setChanged(true);
  });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hear = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        look();
      }, pause);
    };
    const stops = topics.map((topic) => listenTo(topic, hear));
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, [topics]);

  const refresh = useCallback(() => {
    setChanged(false);
    refetch();
  }, [refetch]);
  return { changed, refresh };
}
