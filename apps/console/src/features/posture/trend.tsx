import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format.ts";
import { benchmarksQuery } from "./posture-query.ts";
import classes from "./posture.module.css";

const [width, height] = [240, 36];

/** How much of all that was asked held on each of the last days; in words for who does not see the line. */
export function Trend() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useQuery(benchmarksQuery);
  const days = data?.days ?? [];
  const rates = days.map(({ passed, failed }) => (passed + failed === 0 ? 0 : passed / (passed + failed)));
  const [first, last] = [rates[0], rates.at(-1)];
  if (first === undefined || last === undefined) return null;
  const percent = (rate: number): number => Math.floor(rate * 100);
  const step = width / Math.max(1, rates.length - 1);
  const points = rates.map((rate, index) => `${index * step},${height - 3 - rate * (height - 6)}`).join(" ");
  const said = t("posture.trend", { count: days.length, from: percent(first), to: percent(last) });
  return (
    <section className={classes.trend} aria-label={t("posture.trendTitle")}>
      <p>
        <strong className="num">{t("posture.percent", { percent: percent(last) })}</strong> {t("posture.holds")}
        <span className="dim"> · {t("posture.failNow", { count: days.at(-1)?.failed ?? 0 })}</span>
      </p>
      {rates.length > 1 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={said}>
          <title>{said}</title>
          <polyline points={points} className={classes.line} />
        </svg>
      )}
      <p className="dim">{rates.length > 1 ? said : t("posture.trendLater", { days: format.number(30) })}</p>
    </section>
  );
}
