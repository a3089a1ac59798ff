/** Milliseconds; records that come a little out of order are no step of a clock. */
const disorder = 10_000;

/**
 * Of the times of a recording, in their order, a time that only goes on: where the clock was set back while it was recorded,
 * it goes on from there. Milliseconds.
 */
export function recordedClock(): (at: number) => number {
  let latest = -Infinity;
  let now = 0;
  return (at) => {
    if (latest === -Infinity) now = at;
    else if (at > latest) now += at - latest;
    if (at > latest || latest - at > disorder) latest = at;
    return now;
  };
}
