import { useFormat, useNow } from "./format.ts";

/** How long ago, in words; the exact time on hover. */
export function Ago({ time }: { time: number }) {
  const format = useFormat();
  // What is newer than the page's last tick happened now, not in the future.
  const now = Math.max(useNow(), time);
  return (
    <time dateTime={new Date(time).toISOString()} title={format.exact(time)} className="num">
      {format.relative(time, now)}
    </time>
  );
}

export function Exact({ time }: { time: number }) {
  return (
    <time dateTime={new Date(time).toISOString()} className="num">
      {useFormat().exact(time)}
    </time>
  );
}
