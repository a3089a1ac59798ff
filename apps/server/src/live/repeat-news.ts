import type { RepeatsOf } from "@bulwark/model";
import type { LiveHub } from "./hub.ts";
import { createNews, type News } from "./news.ts";

/** Tells open pages of the alerts that happened again, with all that there is of each: what is missed is in the next. */
export type RepeatNews = News<RepeatsOf>;

/** Alerts of one message. NATS takes a megabyte, and an id may have 512 letters. */
const atOnce = 500;

/** `pause`: an alert is told of at most once in so many milliseconds. */
export function createRepeatNews(live: Pick<LiveHub, "publish">, pause: number): RepeatNews {
  return createNews({
    ...{ what: "repeats", pause, most: 5000 },
    keyOf: ({ alert }) => alert,
    // Of two writers, the one that was first may be heard last.
    merge: (before, item) => (item.count > before.count ? item : before),
    tell(repeats) {
      for (let at = 0; at < repeats.length; at += atOnce) {
        void live.publish("repeats", { repeats: repeats.slice(at, at + atOnce) });
      }
    },
  });
}
