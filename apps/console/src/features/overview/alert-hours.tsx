import type { Overview } from "@bulwark/contract";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import classes from "./overview.module.css";

type Hours = Overview["alertsByHour"];
type Hour = Hours[number];

const HourChart = lazy(async () => ({ default: (await import("./hour-chart.tsx")).HourChart }));
const hour = 3_600_000;

/** Alerts of the last day by the hour: bars for the eye, links for the keyboard and for who hears the page. */
export function AlertHours({ hours }: { hours: Hours }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const format = useFormat();
  const total = hours.reduce((sum, { count }) => sum + count, 0);
  const filled = hours.filter(({ count }) => count > 0);
  const name = ({ time, count }: Hour): string => t("overview.hour", { time: format.hour(time), count });
  return (
    <div className={classes.hours}>
      <p className={classes.hoursSum}>{t("overview.hoursTotal", { count: total, text: format.number(total) })}</p>
      <div className={classes.chart} aria-hidden="true">
        <Suspense>
          <HourChart
            hours={hours}
            labelOf={(time) => format.hour(time)}
            tipOf={name}
            onPick={({ time }) => void navigate({ to: "/alerts", search: rangeOf(time) })}
          />
        </Suspense>
      </div>
      <ul className={classes.hourLinks}>
        {filled.map((item) => (
          <li key={item.time}>
            <Link to="/alerts" search={rangeOf(item.time)}>
              {name(item)}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}

function rangeOf(time: number): { since: number; until: number } {
  return { since: time, until: time + hour - 1 };
}
