import type { FindingDay } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { severities } from "../../search.ts";
import { useFormat } from "../../ui/format.ts";
import { Failed, Lines } from "../../ui/states.tsx";
import classes from "./findings.module.css";

const HourChart = lazy(async () => ({ default: (await import("../overview/hour-chart.tsx")).HourChart }));
const days = 90;

/** Open findings by day: bars for the eye, a table for the keyboard and for who hears the page. */
export function FindingTrend() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data, error, refetch } = useQuery({
    queryKey: ["finding-trend"],
    queryFn: async () => api.getFindingTrend({ query: { days } }),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={6} />;
  const { items } = data;
  return (
    // What scrolls must be reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={classes.trend} tabIndex={0} role="region" aria-label={t("findings.views.trend")}>
      <p className="dim">{t("findings.trendText")}</p>
      {items.length > 1 && (
        <div className={classes.chart} aria-hidden="true">
          <Suspense>
            <HourChart
              hours={items.map((item) => ({ time: item.time, count: totalOf(item) }))}
              labelOf={(time) => format.day(time)}
              tipOf={({ time, count }) => `${format.day(time)}: ${format.number(count)}`}
              onPick={() => undefined}
            />
          </Suspense>
        </div>
      )}
      <table className={classes.days}>
        <thead>
          <tr>
            <th scope="col">{t("findings.day")}</th>
            {severities.map((name) => (
              <th key={name} scope="col">
                {t(`severity.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.toReversed().map(({ time, open }) => (
            <tr key={time}>
              <th scope="row">{format.day(time)}</th>
              {severities.map((name) => (
                <td key={name} className="num">
                  {format.number(open[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function totalOf({ open }: FindingDay): number {
  return Object.values(open).reduce((sum, count) => sum + count, 0);
}
