import { useMemo, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

export interface Format {
  number: (value: number) => string;
  bytes: (value: number) => string;
  /** Day and time to the second. */
  exact: (time: number) => string;
  day: (time: number) => string;
  /** Time of the day with milliseconds. */
  clock: (time: number) => string;
  hour: (time: number) => string;
  relative: (time: number, now: number) => string;
}

/** Numbers and times in the chosen language. */
export function useFormat(): Format {
  const language = useTranslation().i18n.language;
  return useMemo(() => createFormat(language), [language]);
}

function createFormat(language: string): Format {
  const number = new Intl.NumberFormat(language);
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const clock = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  return {
    number: (value) => number.format(value),
    bytes: (value) => bytes(language, value),
    exact: (time) => exact.format(time),
    day: (time) => day.format(time),
    clock: (time) => clock.format(time),
    hour: (time) => hour.format(time),
    relative: (time, now) => {
      const [unit, size] = unitOf(Math.abs(now - time));
      return relative.format(-Math.trunc((now - time) / size), unit);
    },
  };
}

function bytes(language: string, value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1);
  const options = { style: "unit", unit: units[power] ?? "byte", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, options).format(value / 1000 ** power);
}

const second = 1000;
const units: [limit: number, unit: Intl.RelativeTimeFormatUnit, size: number][] = [
  [60 * second, "second", second],
  [3600 * second, "minute", 60 * second],
  [86_400 * second, "hour", 3600 * second],
  [30 * 86_400 * second, "day", 86_400 * second],
  [365 * 86_400 * second, "month", 30 * 86_400 * second],
];

function unitOf(distance: number): [Intl.RelativeTimeFormatUnit, number] {
  const found = units.find(([limit]) => distance < limit);
  return found ? [found[1], found[2]] : ["year", 365 * 86_400 * second];
}

// One clock for the page: every relative time moves on together.
const tick = 10_000;
const tickers = new Set<() => void>();
let now = Date.now();
setInterval(() => {
  now = Date.now();
  for (const ticker of tickers) ticker();
}, tick);

export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      tickers.add(listener);
      return () => void tickers.delete(listener);
    },
    () => now,
  );
}
